"""Plug-ins: a network, loss, metric or corpus is one file, looked up by its file name and imported when asked for."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from types import ModuleType
from typing import Any

from zspex_toolkit.errors import ConfigError

_ROOT = __name__.rpartition(".")[0]


def available(package: str) -> list[str]:
    """Sorted names of the plug-ins in ``zspex_toolkit/<package>/``; ``package`` has dots, as in ``models.demixers``.

    Files whose names begin with ``_`` are none, nor are folders.
    """
    modules = pkgutil.iter_modules(importlib.import_module(f"{_ROOT}.{package}").__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_") and not module.ispkg)


def load_module(package: str, name: str) -> ModuleType:
    """The module ``zspex_toolkit/<package>/<name>.py``.

    Raises:
        ConfigError: if there is no such file; the message names the nearest one.
    """
    names = available(package)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"expected one of: {', '.join(names)}"
        raise ConfigError(f"unknown name '{name}' in {package}; {hint}")
    return importlib.import_module(f"{_ROOT}.{package}.{name}")


def load(package: str, name: str) -> Any:
    """The plug-in of ``zspex_toolkit/<package>/<name>.py``: the one name in that module's ``__all__``.

    Raises:
        ConfigError: if there is no such file.
    """
    module = load_module(package, name)
    exported = getattr(module, "__all__", [])
    assert len(exported) == 1, f"{module.__name__} must export exactly one name in __all__, it has {exported}"
    return getattr(module, exported[0])
