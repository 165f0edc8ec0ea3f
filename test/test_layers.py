"""Imports point down only; so a file can be read knowing only what lies below it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "zspex_toolkit"
# From the bottom up; packages of one level do not import each other.
LEVELS = (
    ("errors",),
    ("config", "registry", "randomness"),
    ("io", "signal", "launch"),
    ("nn", "losses", "metrics", "corpora", "simulation", "train", "text"),
    ("models", "data"),
    ("tasks", "prepare"),
    ("extract",),
    ("recognise",),
    ("score", "report"),
    ("bench", "export"),
    ("gates", "doctor"),
    ("bin",),
)
LEVEL_OF = {package: level for level, packages in enumerate(LEVELS) for package in packages}
SIDEWAYS = {("registry", "config"), ("config", "registry")}


def imported_packages(source: str, module: str) -> set[str]:
    """First-level packages of zspex_toolkit that ``source`` imports, in functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # from . import x
                base = ".".join([*module.split(".")[: -node.level], base]).rstrip(".")
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("zspex_toolkit.")}


def upward_imports(source: str, module: str) -> list[str]:
    """Imports of ``source`` that go up, or sideways to another package."""
    own = module.split(".")[1]
    return sorted(
        other
        for other in imported_packages(source, module)
        if other in LEVEL_OF and other != own and LEVEL_OF[other] >= LEVEL_OF[own] and (own, other) not in SIDEWAYS
    )


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.stem in LEVEL_OF]


def test_every_package_has_a_level():
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    packages |= {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert packages - set(LEVEL_OF) == set()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_only(path):
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    assert upward_imports(path.read_text(encoding="utf-8"), module) == []


def test_an_import_within_a_function_counts():
    source = "def build():\n    from zspex_toolkit.tasks.demixing import build\n"
    assert upward_imports(source, "zspex_toolkit.models.clue") == ["tasks"]


def test_a_relative_import_counts():
    assert upward_imports("from ..bin import train", "zspex_toolkit.io.table") == ["bin"]


def test_a_neighbour_of_the_same_level_is_refused():
    assert upward_imports("import zspex_toolkit.signal.mfcc", "zspex_toolkit.io.table") == ["signal"]
    assert upward_imports("from zspex_toolkit.tasks import demixing", "zspex_toolkit.extract.demix") == []
    assert upward_imports("from zspex_toolkit.extract import demix", "zspex_toolkit.tasks.demixing") == ["extract"]
