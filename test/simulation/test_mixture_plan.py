"""Tests of plan files."""

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.simulation.mixture_plan import MixturePlan, Noise, Source, read_plans, to_text

SOURCES = (Source("b-1", "b", 3, 0, 100, 1.0), Source("a-1", "a", 0, 7, 90, 0.1234567890123456, 1.1, "hall.flac"))


def test_plans_are_read_as_they_were_written_sorted_by_id(tmp_path):
    noisy = MixturePlan("b-1_a-1", SOURCES, -5.0, 16000, 100, 1, 0.7, Noise("tap.flac", 12, 9.5, 0.3))
    plain = MixturePlan("B-1_a-1", SOURCES, 0.1, 8000, 100, 2)
    write_text(tmp_path / "plan.jsonl", to_text([noisy, plain]))
    assert read_plans(tmp_path / "plan.jsonl") == [plain, noisy]  # bytes: capitals first


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "a"}', '{"id": "a", "sources": [], "colour": 1}', ""])
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "plan.jsonl"
    write_text(path, to_text([MixturePlan("b-1_a-1", SOURCES, 0.0, 16000, 100, 1)]))
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataDirError, match=r"plan\.jsonl:2: expected the plan of a mixture, got"):
        read_plans(path)


def test_a_missing_plan_says_how_to_make_one(tmp_path):
    with pytest.raises(DataDirError, match="no such file; write it with plan_mixtures"):
        read_plans(tmp_path / "plan.jsonl")
