"""What made the speech that is scored: the experiment, its settings, what extraction cost."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.revision import current_commit

# What extract_trials measures, and the scores repeat.
COSTS = ("num_parameters", "macs_per_second", "real_time_factor", "peak_memory_mib", "embedding_dim", "device")


def system_of(extracted: Path) -> str:
    """Name of the system whose output lies in ``extracted``: its experiment's folder, else the folder itself.

    >>> system_of(Path("exp/tse/zspex/extracted/test")), system_of(Path("other/outputs"))
    ('zspex', 'outputs')
    """
    return experiment_of(extracted).name if extracted.parent.name == "extracted" else extracted.name


def experiment_of(extracted: Path) -> Path:
    """The experiment whose output is ``<experiment>/extracted/<set>``."""
    return extracted.absolute().parents[1]


def provenance(extracted: Path | None) -> dict[str, Any]:
    """Hash of the system's settings, seed of its training, commit of this scoring and cost; None where not known.

    Args:
        extracted: folder of the outputs; None if there is no system.

    Raises:
        DataDirError: if ``extraction.json`` or the experiment's ``config.yaml`` is broken.
    """
    facts: dict[str, Any] = {"config_hash": None, "seed": None, "commit": current_commit()} | dict.fromkeys(COSTS)
    if extracted is None:
        return facts
    cost = extracted / "extraction.json"
    if cost.exists():
        measured = _mapping(cost, json.loads)
        facts |= {name: measured.get(name) for name in COSTS}
    settings = experiment_of(extracted) / "config.yaml"
    if extracted.parent.name == "extracted" and settings.exists():
        facts["config_hash"] = hashlib.sha256(settings.read_bytes()).hexdigest()[:12]
        facts["seed"] = (_mapping(settings, yaml.safe_load).get("train") or {}).get("seed")
    return facts


def _mapping(path: Path, parse) -> dict[str, Any]:
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as fault:
        raise DataDirError(f"{path}: broken ({' '.join(str(fault).split())}); make it again") from fault
    if not isinstance(found, dict):
        raise DataDirError(f"{path}: expected names and values, got {type(found).__name__}")
    return found
