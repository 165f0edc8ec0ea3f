"""Reading scores: order, groups, and every way a file can be broken."""

import json
import shutil

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.extraction.scores import disagreements, read_extraction_scores


@pytest.fixture
def exp(tse_exp, tmp_path):
    """A copy of the scores, to be broken."""
    for path in tse_exp.glob("**/scores.json"):
        shutil.copytree(path.parent, tmp_path / path.parent.relative_to(tse_exp))
    return tmp_path


def change(path, **facts):
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def test_sets_come_by_name_and_in_each_the_mixture_then_the_papers_systems(tse_exp):
    found = [(one.set, one.system) for one in read_extraction_scores(tse_exp)]
    assert found == [(s, n) for s in ("seen", "test", "test_absent") for n in ("mixture", "spex_plus", "zspex")]


def test_a_mean_is_that_of_the_group_asked_for(tse_exp):
    scored = next(s for s in read_extraction_scores(tse_exp) if (s.set, s.system) == ("test", "zspex"))
    female = [t["si_sdri"] for t in scored.trials.values() if t["pair"] == "female"]
    assert scored.mean("si_sdri", "pair", "female") == pytest.approx(sum(female) / 12)
    assert scored.mean("si_sdri") == pytest.approx(10, abs=0.1)
    assert scored.mean("sdri") is None and scored.mean("si_sdri", "pair", "unknown") is None
    assert scored.values("pair") == ["different", "female", "male"]


def test_an_experiment_without_scores_is_told_so(tmp_path):
    with pytest.raises(DataDirError, match=r"no scores.json in mixture/<set>/ or <system>/scores/<set>/; run the"):
        read_extraction_scores(tmp_path)


INCOMPLETE = '{"system": "zspex", "set": "test", "fs": 8000, "num_trials": 1, "num_dropped": 0}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (INCOMPLETE, "expected a JSON object with list_hash, groups; remove it"),
        ("{", "expected a JSON object with system, set, fs"),
    ],
)
def test_a_broken_or_incomplete_file_is_named(exp, text, message):
    (exp / "zspex/scores/test/scores.json").write_text(text)
    with pytest.raises(DataDirError, match=f"zspex/scores/test/scores.json: {message}"):
        read_extraction_scores(exp)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        *((line, "expected an object with id, target, condition, got ") for line in ("{", "[]", '{"id": "a"}')),
        ('{"id": "ann-bea-0", "target": "ann", "condition": "present"}', "trial 'ann-bea-0' comes twice; score again"),
    ],
)
def test_a_broken_or_repeated_line_of_trials_is_named(exp, line, message):
    path = exp / "zspex/scores/test/trials.jsonl"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataDirError, match=f"trials.jsonl:61: {message}"):
        read_extraction_scores(exp)
    path.unlink()
    with pytest.raises(DataDirError, match=r"trials.jsonl: no such file; score again"):
        read_extraction_scores(exp)


def test_systems_scored_on_other_trials_are_a_line(exp):
    assert disagreements(read_extraction_scores(exp)) == []
    change(exp / "zspex/scores/test/scores.json", list_hash="other", num_trials=59)
    assert disagreements(read_extraction_scores(exp)) == [
        "test: mixture/test/scores.json has 60 trials of list list-test, zspex/scores/test/scores.json has 59 of other"
    ]


def test_systems_scored_on_other_audio_of_the_same_trials_are_a_line(exp):
    path = exp / "zspex/scores/test/trials.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[4]["snr_db"] += 2.5
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert disagreements(read_extraction_scores(exp)) == [
        "test: mixture/test/scores.json and zspex/scores/test/scores.json were scored on other audio: length or SNR of "
        f"1 trials differs, such as '{lines[4]['id']}'"
    ]
