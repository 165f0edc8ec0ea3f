"""Models that come with the toolkit: which is the default, where each lies by its name, and what is told of them."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError, safe_open

import zspex_toolkit
from zspex_toolkit.errors import UserError
from zspex_toolkit.tasks.extraction import read_extractor_spec

PRETRAINED = Path(zspex_toolkit.__file__).parent / "pretrained"
DEFAULT = "zspex-8k-v1"  # what is taken where no model is named; nothing else says so
WEIGHTS = "model.safetensors"
STEPS = ".steps"  # behind a tensor's name: what a unit of each of its rows stands for
_CARD = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)  # as model cards of hubs begin
_STORAGES = {"F32": "float32", "F16": "float16", "I8": "int8"}


def model_folder(model: str | PathLike | None = None, root: Path = PRETRAINED) -> Path:
    """The folder of a model: itself, that of a shipped model's name (or of ``default``), the default if None.

    Raises:
        UserError: for a name that is neither a folder nor that of a shipped model; with those that there are.
    """
    if model is None:
        return default_model(root)
    folder, name = Path(model), fspath(model)
    if (folder / "model.yaml").exists() or folder.name != name:
        return folder
    if name == "default":
        return default_model(root)
    if (root / name / "model.yaml").exists():
        return root / name
    if folder.is_dir():
        return folder
    names = ", ".join(shipped_models(root)) or "none"
    raise UserError(
        f"model {name}: no such folder, and no model of that name comes with the toolkit; there is: {names}"
    )


def shipped_models(root: Path = PRETRAINED) -> list[str]:
    """Their names, sorted."""
    return sorted(path.parent.name for path in root.glob("*/model.yaml"))


def default_model(root: Path = PRETRAINED) -> Path:
    """The folder of the default model: that of the name ``DEFAULT``, or the only one there is.

    Raises:
        UserError: if there is none, or several and none of that name.
    """
    names = shipped_models(root)
    if DEFAULT in names:
        return root / DEFAULT
    if len(names) == 1:
        return root / names[0]
    found = f"several: {', '.join(names)}" if names else "none"
    raise UserError(
        f"{root}: expected one model to take by default, found {found}; "
        "give --model, the folder of an extractor that train_extractor has trained"
    )


@dataclass(frozen=True)
class Config:
    """Settings of models."""

    name: str = ""  # print the card of this one; unset: a few lines of each


def list_models(config: Config, root: Path = PRETRAINED) -> None:
    """Print what there is, the default first; or the whole card of one.

    Raises:
        UserError: for an unknown name, or a model that is broken.
    """
    if config.name:
        folder = model_folder(config.name, root)
        card = folder / "README.md"
        if not card.is_file():
            raise UserError(f"{card}: no such file; this model has no card")
        print(_CARD.sub("", card.read_text(encoding="utf-8"), count=1).strip())
        return
    names = shipped_models(root)
    first = default_model(root).name if names else None
    for name in sorted(names, key=lambda name: (name != first, name)):
        print(name + " (default)" * (name == first))
        for key, value in _told(root / name):
            print(f"  {key:<11} {value}")
    if not names:
        print(f"none: {root} holds no model")


def _told(folder: Path) -> list[tuple[str, str]]:
    """What the list says of a model, heading by heading."""
    spec, card = read_extractor_spec(folder), model_card(folder)
    num_weights, storage = _weights(folder / WEIGHTS)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    lines = [
        ("network", f"{spec.extractor}, {num_weights / 1e6:.2f} million parameters, {storage}"),
        ("rate", f"{spec.fs} Hz"),
        ("size", f"{size / 1e6:.1f} MB"),
        ("trained on", str(card.get("trained_on", "not told"))),
        ("licence", str(card.get("licence", "not told"))),
    ]
    scores = sorted(folder.glob("scores*.json"), key=lambda path: len(path.name))
    return [*lines, *(("scores", _headline(path)) for path in scores), ("folder", str(folder))]


def model_card(folder: Path) -> dict[str, Any]:
    """The head of the model's README.md: YAML between two lines ``---``."""
    path = folder / "README.md"
    found = _CARD.match(path.read_text(encoding="utf-8")) if path.is_file() else None
    try:
        card = yaml.safe_load(found[1]) if found else {}
    except yaml.YAMLError as error:
        raise UserError(f"{path}: expected YAML between the lines '---': {' '.join(str(error).split())}") from error
    if not isinstance(card, dict):
        raise UserError(f"{path}: expected 'name: value' between the lines '---', got {found[1]!r}")
    return card


def _weights(path: Path) -> tuple[int, str]:
    """How many weights, and as which numbers most are stored; from the header alone."""
    counts: dict[str, int] = {}
    try:
        with safe_open(path, "numpy") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                part = file.get_slice(name)
                if part.get_dtype() in _STORAGES and not name.endswith(STEPS):
                    counts[part.get_dtype()] = counts.get(part.get_dtype(), 0) + math.prod(part.get_shape())
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: missing, cut short or no safetensors file") from error
    storage = max(counts, key=counts.__getitem__, default="")
    return sum(counts.values()), _STORAGES.get(storage, "no weights")


def _headline(path: Path) -> str:
    """What a scores.json, as score_extraction writes it, says of all trials."""
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
        (whole,) = [group for group in scores["groups"] if group["by"] == "all"]
        told = [f"{scores['set']}: {whole['num_trials']:,} trials", *_figures(whole["metrics"])]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: expected scores as score_extraction writes them") from error
    return "; ".join(told)


def _figures(metrics: dict[str, dict[str, Any]]) -> list[str]:
    figures = []
    if "si_sdri" in metrics:
        low, high = metrics["si_sdri"].get("speaker_interval") or metrics["si_sdri"]["interval"]
        figures.append(f"gain {metrics['si_sdri']['mean']:.1f} dB SI-SDR [{low:.1f}, {high:.1f}]")
    for name, heading in (("share_above_1_db", "over 1 dB"), ("confusion", "confusion")):
        if name in metrics:
            figures.append(f"{heading} {100 * metrics[name]['mean']:.1f} %")
    return figures
