"""What docs/architecture.md names is there."""

import re
from pathlib import Path

import pytest
from test_layers import LEVELS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = sorted({name for name in re.findall(r"`([\w./]+)`", TEXT) if "/" in name or name.endswith(".py")})


def test_it_names_many_files():
    assert len(NAMED) > 30


@pytest.mark.parametrize("name", NAMED)
def test_a_file_that_it_names_exists(name):
    assert (ROOT / name).exists() or (ROOT / "zspex_toolkit" / name).exists()


def test_its_rooms_are_in_the_order_of_the_layers():
    drawn = re.search(r"```\n(bin\n.*?)```", TEXT, re.DOTALL)[1]
    lines = [set(line.split()) for line in drawn.splitlines()]
    assert lines == [set(level) for level in reversed(LEVELS)]
