"""The folder of an experiment: how it was trained (config.yaml) and what inference needs (model.yaml, weights)."""

from __future__ import annotations

import dataclasses
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
import yaml
from torch import Tensor, nn

from zspex_toolkit.config import dump_config, load_config, to_dict
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.train.config import MAY_CHANGE
from zspex_toolkit.train.processes import is_main_process

Spec = TypeVar("Spec")
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


def start_experiment(
    exp_dir: Path, config: Any, spec: Any, *, may_change: tuple[str, ...] = ("exp_dir", "device")
) -> None:
    """Write ``config.yaml`` and ``model.yaml``; a training that was begun goes on under the same settings only.

    A dry run writes nothing, and of several processes one writes. Before the first checkpoint (or ``done``) no training
    has begun: settings are then free.

    Args:
        exp_dir: folder, made if missing.
        config: resolved settings of the training command, with the loop's settings as ``train``.
        spec: what inference needs to build the network again.
        may_change: settings outside ``train`` that change nothing that was computed.

    Raises:
        ConfigError: naming the settings that differ from those the experiment was begun with.
    """
    if config.train.dry_run or not is_main_process():
        return
    before = exp_dir / "config.yaml"
    if before.exists() and has_begun(exp_dir):
        free = {*may_change, *(f"train.{name}" for name in MAY_CHANGE)}
        then, now = _flat(yaml.safe_load(before.read_text(encoding="utf-8")), config), _flat(to_dict(config), config)
        for key, new in getattr(config, "FORMER", {}).items():
            if key in then:
                raise ConfigError(
                    f"{before}: this experiment was begun with {key} {then[key]}, which is written in another way now: "
                    f"{new}; choose another exp_dir"
                )
        # A setting that did not exist then counts as unchanged: its default is what was done before there was a choice.
        keys = [key for key in now if key not in free and key in then and then[key] != now[key]]
        if keys:
            changes = ", ".join(f"{key} {then.get(key)} -> {now.get(key)}" for key in keys)
            raise ConfigError(
                f"{before}: this experiment was begun with other settings: {changes}; "
                "set them back to continue it, or choose another exp_dir"
            )
    write_text(before, dump_config(config))
    write_text(exp_dir / "model.yaml", dump_config(spec))


def has_begun(exp_dir: Path) -> bool:
    """Whether a training has left anything that it would go on from."""
    return (exp_dir / "done").exists() or any((exp_dir / "checkpoints").glob("*.pt"))


def require_finished(exp_dir: str | PathLike) -> Path:
    """The last weights of a finished training.

    Raises:
        UserError: if the training has not finished.
    """
    exp_dir = Path(exp_dir)
    if not (exp_dir / "done").exists():
        raise UserError(f"{exp_dir}: this training has not finished; start its command again to go on with it")
    return exp_dir / "last.safetensors"


def read_spec(spec_class: type[Spec], exp_dir: str | PathLike) -> Spec:
    """What inference needs to build the network of an experiment.

    Raises:
        UserError: if the folder holds no such model.
    """
    path = Path(exp_dir) / "model.yaml"
    if not path.exists():
        raise UserError(f"{path}: no such file; expected the folder of a trained model")
    return load_config(spec_class, path)


def load_weights(network: nn.Module, path: str | PathLike, *, prefix: str = "") -> None:
    """Fill ``network`` from a safetensors file; with a prefix, from the tensors whose names begin with it.

    Raises:
        UserError: if the file is missing, cut short, no safetensors file, or of another network.
    """
    weights = read_weights(path)
    chosen = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
    try:
        network.load_state_dict(chosen)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{path}: weights of another network than model.yaml describes: {reason}") from error


def read_weights(path: str | PathLike) -> dict[str, Tensor]:
    """The tensors of a safetensors file, which cannot hold code.

    Raises:
        UserError: if the file is missing, cut short, a pickle or otherwise no safetensors file.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; expected the weights of a trained model")
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        with Path(path).open("rb") as stream:
            head = stream.read(9)
        # torch.save's archive of pickles, or a bare one; safetensors has "{" behind the length of its header.
        if head[:2] in (b"PK", *_PICKLES) and head[8:] != b"{":
            raise UserError(f"{path}: is a pickle, which could run code: refused; expected safetensors") from error
        raise UserError(f"{path}: cut short or no safetensors file ({error}); train or copy the model again") from error


def _flat(settings: dict[str, Any], config: Any, prefix: str = "") -> dict[str, Any]:
    """Settings by their names with dots; one that is itself a dictionary, as ``config`` has it, stays whole."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        nested = getattr(config, key, None)
        if isinstance(value, dict) and dataclasses.is_dataclass(nested):
            flat |= _flat(value, nested, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
