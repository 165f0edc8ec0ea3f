"""Which versions of other packages a figure was made with."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Python's version and those of the packages that are installed.

    >>> sorted(installed_versions(["numpy", "no-such-package"]))
    ['numpy', 'python']
    """
    versions = {"python": platform.python_version()}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
