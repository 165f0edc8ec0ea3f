"""A small untrained extractor as a training would leave it in its folder."""

from pathlib import Path

import torch

from zspex_toolkit.config import dump_config
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor
from zspex_toolkit.train.checkpoint import save_weights

OPTIONS = {
    "num_filters": 12,
    "bottleneck": 8,
    "hidden": 16,
    "num_blocks": 2,
    "num_stacks": 2,
    "embedding_dim": 6,
    "speaker_hidden": 16,
}


def write_model(folder: Path, *, seed: int = 0, presence: dict | None = None, weights: str = "best") -> Path:
    """``model.yaml`` and the weights of a SpEx+ for three speakers at 8 kHz."""
    torch.manual_seed(seed)
    spec = ExtractorSpec("spex_plus", OPTIONS, 8000, 3, presence=presence)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.yaml").write_text(dump_config(spec))
    save_weights(build_extractor(spec).state_dict(), folder / f"{weights}.safetensors")
    return folder
