"""Python and the packages that the toolkit's own metadata name."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement

from zspex_toolkit.doctor.finding import FAULT, OK, WARNING, Asked, Finding

__all__ = ["check_packages"]

_PACKAGE = "zspex_toolkit"


def check_packages(asked: Asked) -> Iterator[Finding]:
    """Whether all required packages are there in the versions asked for, and which optional ones are."""
    yield Finding(OK, f"Python {platform.python_version()}, {platform.platform()}")
    try:
        lines = metadata.requires(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        yield Finding(WARNING, "zspex_toolkit is on PYTHONPATH, but not installed", "tools/setup_venv.sh installs it")
        return
    needed, optional = [], {}
    for requirement in map(Requirement, lines):
        extra = _extra_of(requirement)
        if extra is None:
            needed.append(requirement)
        elif extra != "all":
            optional.setdefault(extra, []).append(requirement)
    lacking = [told for told in map(_lack, needed) if told]
    for told in lacking:
        yield Finding(FAULT, told, "tools/setup_venv.sh installs what is missing")
    if not lacking:
        yield Finding(OK, ", ".join(f"{one.name} {metadata.version(one.name)}" for one in needed))
    for extra, requirements in sorted(optional.items()):
        lacking = [told for told in map(_lack, requirements) if told]
        if lacking:
            yield Finding(
                WARNING, f"[{extra}] {'; '.join(lacking)}", f"pip install '{_PACKAGE}[{extra}]' if you need it"
            )
        else:
            versions = ", ".join(f"{one.name} {metadata.version(one.name)}" for one in requirements)
            yield Finding(OK, f"[{extra}] {versions}")


def _extra_of(requirement: Requirement) -> str | None:
    """The extra that asks for a package; None if all installations do."""
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        return None
    text = str(requirement.marker)
    return text.split("extra ==", 1)[1].split()[0].strip("\"')") if "extra ==" in text else None


def _lack(requirement: Requirement) -> str:
    """What is wrong with an installed package; empty if nothing is."""
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name}: expected {requirement.specifier}, found {version}"
