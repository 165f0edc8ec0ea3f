"""Runs the checks and prints what they find."""

from __future__ import annotations

import dataclasses
import json
import traceback
from dataclasses import dataclass
from pathlib import Path

import zspex_toolkit
from zspex_toolkit.doctor.finding import FAULT, Asked, Finding
from zspex_toolkit.errors import UserError
from zspex_toolkit.registry import available, load

_CHECKS = "doctor.checks"


@dataclass(frozen=True)
class Config:
    """Settings of doctor."""

    model: str | None = None  # also load this model: an experiment, a packed model, or a shipped one by name
    data: Path | None = None  # also check this data directory
    recipe: Path | None = None  # also look whether this recipe can start, such as egs/libri2mix/tse1
    corpus_dir: Path | None = None  # folder of the recipe's corpus; unset: the variable named like it
    json: bool = False  # print JSON


def examine(config: Config) -> bool:
    """Print what every check finds, in the order of their names.

    Returns:
        Whether there is no fault.
    """
    asked = Asked(config.model, config.data, config.recipe, config.corpus_dir)
    findings = [(name, finding) for name in available(_CHECKS) for finding in findings_of(name, asked)]
    if config.json:
        rows = [{"check": name, **dataclasses.asdict(finding)} for name, finding in findings]
        print(json.dumps({"zspex_toolkit": zspex_toolkit.__version__, "findings": rows}, indent=1, ensure_ascii=False))
    else:
        print(f"zspex_toolkit {zspex_toolkit.__version__}")
        for name, finding in findings:
            print(f"{finding.state:8}{name}: {finding.what}" + (f"; {finding.remedy}" if finding.remedy else ""))
    return all(finding.state != FAULT for _, finding in findings)


def findings_of(name: str, asked: Asked) -> list[Finding]:
    """What the check of this name finds; an error within it is a fault that it finds, and ends nothing."""
    try:
        return list(load(_CHECKS, name)(asked))
    except UserError as error:
        return [Finding(FAULT, " ".join(str(error).split()))]
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        return [
            Finding(FAULT, f"the check itself failed: {told} ({Path(where.filename).name}:{where.lineno})", "report it")
        ]
