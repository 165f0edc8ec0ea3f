"""A model's integrity: the default one, or that of ``--model``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from zspex_toolkit.doctor.finding import FAULT, OK, Asked, Finding
from zspex_toolkit.extract.extractor import Extractor

__all__ = ["check_model"]


def check_model(asked: Asked) -> Iterator[Finding]:
    """Whether the model loads, has finite weights, and extracts half a second of noise.

    Raises:
        UserError: if it does not load.
    """
    name = asked.model or "the default model"
    extractor = Extractor.load(asked.model, device="cpu")
    weights = extractor.network.state_dict()
    broken = [key for key, value in weights.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        yield Finding(FAULT, f"{name}: {broken[0]} holds NaN or infinity", "train it again or copy it anew")
        return
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, extractor.fs)).astype(np.float32)
    voice = extractor.extract(noise[0, : extractor.fs // 2], noise[1])
    if not np.isfinite(voice).all():
        yield Finding(FAULT, f"{name}: its output for noise holds NaN or infinity", "train it again")
        return
    millions = sum(value.numel() for value in weights.values()) / 1e6
    yield Finding(OK, f"{name}: {type(extractor.network).__name__}, {millions:.1f} M numbers, {extractor.fs} Hz")
