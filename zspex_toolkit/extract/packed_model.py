"""Models as small folders to hand on, ``model.yaml`` and ``model.safetensors``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor, nn

from zspex_toolkit.config import dump_config
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.extract.shipped_models import STEPS, WEIGHTS, model_folder
from zspex_toolkit.io.atomic import atomic_path, write_text
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.tasks.experiment import read_weights
from zspex_toolkit.tasks.extraction import ExtractorSpec, load_extractor, read_extractor
from zspex_toolkit.train.checkpoint import save_weights

STORAGES = ("float32", "float16", "int8")
_LARGEST = 127


def load_model(model: str | PathLike | None = None) -> tuple[ExtractorSpec, nn.Module]:
    """A trained extractor in evaluation mode: an experiment, a packed or, by name, a shipped one; the default if None.

    Raises:
        UserError: if there is none, or it is broken, holds code, or is of another version.
    """
    folder = model_folder(model)
    path = weights_path(folder)
    if path.name != WEIGHTS:
        return load_extractor(folder)
    spec, network = read_extractor(folder)
    try:
        network.load_state_dict(unpacked(read_weights(path)))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{path}: weights of another network than model.yaml describes: {reason}") from error
    return spec, network.eval().requires_grad_(False)


def weights_path(folder: Path) -> Path:
    """The file of weights that :func:`load_model` takes: packed, else the best, else the last."""
    names = [name for name in (WEIGHTS, "best.safetensors") if (folder / name).exists()]
    return folder / (names[0] if names else "last.safetensors")


@dataclass(frozen=True)
class Config:
    """Settings of pack_model."""

    model: Path  # experiment of the extractor
    out: Path  # folder to write
    storage: str = "float16"  # of the weights: float32, float16 or int8
    max_mb: float = 16.0  # refuse weights of more MB; 0: any
    notes: tuple[Path, ...] = ()  # files to lay beside it, such as its README and scores


def pack_model(config: Config) -> None:
    """Write ``model`` as a folder that holds all that inference needs, and no more.

    Raises:
        ConfigError: for another storage.
        UserError: if the model is broken or too large; nothing is written then.
    """
    model, out, storage = config.model, config.out, config.storage
    if storage not in STORAGES:
        raise ConfigError(f"storage: expected one of {', '.join(STORAGES)}, got '{storage}'")
    refuse_overwriting("out", out, [model])
    missing = [str(note) for note in config.notes if not note.is_file()]
    if missing:
        raise UserError(f"{missing[0]}: no such file to lay beside the model")
    spec, network = load_model(model)
    weights = packed(network.state_dict(), storage)
    size_mb = sum(tensor.numel() * tensor.element_size() for tensor in weights.values()) / 1e6
    if config.max_mb and size_mb > config.max_mb:
        found = f"{size_mb:.1f} MB as {storage}, more than max_mb {config.max_mb:g}"
        raise UserError(f"{model}: {found}; {_smaller(storage)}")
    save_weights(weights, out / WEIGHTS)
    write_text(out / "model.yaml", dump_config(spec))
    for note in config.notes:
        with atomic_path(out / note.name) as temporary:
            shutil.copyfile(note, temporary)
    print(f"{out}: {spec.extractor} at {spec.fs} Hz, {size_mb:.1f} MB as {storage}")


def packed(weights: dict[str, Tensor], storage: str) -> dict[str, Tensor]:
    """State dict in smaller numbers; what is no matrix keeps its precision in int8, for it is little."""
    small: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if not tensor.is_floating_point() or storage == "float32":
            small[name] = tensor
        elif storage == "float16":
            small[name] = tensor.half()
        elif tensor.ndim < 2:
            small[name] = tensor.float()
        else:
            steps = tensor.abs().flatten(1).amax(1).clamp_min(1e-12) / _LARGEST  # (rows,)
            small[name] = torch.round(tensor / _beside(steps, tensor)).to(torch.int8)
            small[name + STEPS] = steps.float()
    return small


def unpacked(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of :func:`packed`, in single precision."""
    full = {}
    for name, tensor in weights.items():
        if name.endswith(STEPS):
            continue
        steps = weights.get(name + STEPS)
        if steps is not None:
            tensor = tensor.float() * _beside(steps, tensor)
        full[name] = tensor.float() if tensor.is_floating_point() else tensor
    return full


def _beside(steps: Tensor, tensor: Tensor) -> Tensor:
    """(rows,) as (rows, 1, ...), to be multiplied with ``tensor``."""
    return steps.view(-1, *[1] * (tensor.ndim - 1))


def _smaller(storage: str) -> str:
    following = STORAGES[STORAGES.index(storage) + 1 :]
    return f"take storage {following[0]}" if following else "train a smaller network"
