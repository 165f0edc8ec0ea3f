"""Plans of mixtures and trials, and their lines in plan.jsonl."""

import dataclasses
import json

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.simulation.channel import Channel
from zspex_toolkit.simulation.plan import (
    Enrollment,
    Noise,
    Passage,
    Piece,
    Plan,
    Trial,
    mixtures_of,
    read_plans,
    read_trials,
    to_line,
)

SOURCES = (
    Passage("b", (Piece("b-1", 3, 60), Piece("b-2", 0, 40)), 100, gain=1.0),
    Passage("a", (Piece("a-1", 0, 99),), 90, 0, 7, 1.1, "hall.flac", 0.1234567890123456),
)
NOISY = Plan("b-1_a-1", SOURCES, -5.0, 16000, 100, 1, 0.7, Noise("tap.flac", 12, 9.5, 0.3))
SPEECH = Enrollment(
    Passage("a", (Piece("a-2", 5, 44),), 40, speed=1.1, room="hall.flac", gain=0.5), Noise("tap", 0, 9.0)
)
TRIALS = [
    Trial("a-b-1_a-1", 2, SPEECH, NOISY),
    Trial("c-b-1_a-1", None, Enrollment(Passage("c", (Piece("c-1"),), 30)), NOISY),
    Trial("d-d-1", 1, SPEECH, Plan("d-1", SOURCES[:1], None, 8000, 100, 2)),
]
# Lines as the toolkit wrote them before sources were passages.
OLD_MIXTURE = (
    '{"id": "a-1_b-1", "sources": [{"utt": "a-1", "spk": "a", "start": 4, "offset": 0, "num_samples": 90, "gain": 1.0,'
    ' "speed": 1.0, "room": null}, {"utt": "b-1", "spk": "b", "start": 2, "offset": 5, "num_samples": 80, "gain": 0.5,'
    ' "speed": 1.1, "room": "hall.flac"}], "snr_db": -2.5, "fs": 8000, "num_samples": 90, "seed": 3, "gain": 0.75,'
    ' "noise": {"id": "tap.flac", "start": 12, "snr_db": 9.5, "gain": 0.3}}'
)
OLD_TRIAL = (
    '{"id": "b-a-1_b-1", "spk": "b", "condition": "present", "role": 2, "enrollment": {"utts": ["b-2", "b-3"],'
    f' "start": 7, "num_samples": 60}}, "mixture": {OLD_MIXTURE}}}'
)


def written(folder, *plans):
    write_text(folder / "plan.jsonl", "".join(f"{to_line(plan)}\n" for plan in plans))
    return folder / "plan.jsonl"


def test_mixtures_are_read_as_they_were_written(tmp_path):
    plain = dataclasses.replace(NOISY, id="B-1_a-1", noise=None)
    assert read_plans(written(tmp_path, NOISY, plain)) == [NOISY, plain]


def test_trials_are_read_as_they_were_written(tmp_path):
    trials = read_trials(written(tmp_path, *TRIALS))
    assert trials == TRIALS
    assert [(trial.spk, trial.condition) for trial in trials] == [("a", "present"), ("c", "absent"), ("a", "single")]


def test_microphones_and_stretches_are_read_as_they_were_written(tmp_path):
    microphone = Channel(16000, (100.0, 3000.0), (-2.5, 4.0), 80.0, None, 3.25, "opus", 0.95)
    sources = (dataclasses.replace(SOURCES[0], fade=80), SOURCES[1])
    plan = dataclasses.replace(NOISY, channel=microphone, sources=sources)
    enrollment = dataclasses.replace(SPEECH, channel=Channel(16000, clip_db=1.0))
    trial = Trial("a-b-1_a-1", 2, enrollment, plan)
    assert read_trials(written(tmp_path, trial)) == [trial]


def test_lines_without_microphone_and_stretches_are_what_they_were_before_there_were_any():
    (fields,) = [json.loads(to_line(TRIALS[0]))]
    assert set(fields["enrollment"]) == {"passage", "noise"} and "channel" not in fields["mixture"]
    assert not any("fade" in source for source in (*fields["mixture"]["sources"], fields["enrollment"]["passage"]))


def test_an_unknown_codec_in_a_line_is_named(tmp_path):
    line = to_line(dataclasses.replace(NOISY, channel=Channel(16000, codec="gsm")))
    write_text(tmp_path / "plan.jsonl", line.replace('"gsm"', '"morse"') + "\n")
    with pytest.raises(DataDirError, match=r"plan\.jsonl:1: expected the plan of a mixture, .*codec 'morse': expected"):
        read_plans(tmp_path / "plan.jsonl")


def test_an_old_line_of_a_mixture_is_a_stretch_of_whole_utterances(tmp_path):
    write_text(tmp_path / "plan.jsonl", OLD_MIXTURE + "\n")
    (plan,) = read_plans(tmp_path / "plan.jsonl")
    assert plan.sources == (
        Passage("a", (Piece("a-1", 0, None),), 90, start=4, gain=1.0),
        Passage("b", (Piece("b-1", 0, None),), 80, start=2, offset=5, speed=1.1, room="hall.flac", gain=0.5),
    )
    assert dataclasses.replace(plan, sources=()) == Plan(
        "a-1_b-1", (), -2.5, 8000, 90, 3, 0.75, Noise("tap.flac", 12, 9.5, 0.3)
    )
    assert read_plans(written(tmp_path, plan)) == [plan]


def test_an_old_line_of_a_trial_enrolls_with_a_stretch_of_its_utterances_one_behind_the_other(tmp_path):
    write_text(tmp_path / "plan.jsonl", OLD_TRIAL + "\n")
    (trial,) = read_trials(tmp_path / "plan.jsonl")
    assert trial.enrollment == Enrollment(Passage("b", (Piece("b-2"), Piece("b-3")), 60, start=7))
    assert (trial.id, trial.spk, trial.condition, trial.role) == ("b-a-1_b-1", "b", "present", 2)
    assert trial.mixture.id == "a-1_b-1"


def test_a_plan_that_was_never_leveled_is_read_from_an_old_line(tmp_path):
    fields = json.loads(OLD_MIXTURE)
    fields["gain"], fields["noise"] = None, None
    fields["sources"] = [{**source, "gain": None} for source in fields["sources"]]
    write_text(tmp_path / "plan.jsonl", json.dumps(fields) + "\n")
    (plan,) = read_plans(tmp_path / "plan.jsonl")
    assert plan.gain == 1.0 and [source.gain for source in plan.sources] == [None, None] and plan.noise is None


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "a"}', '{"id": "a", "sources": [], "colour": 1}', ""])
def test_a_broken_line_of_a_mixture_is_named(tmp_path, line):
    write_text(tmp_path / "plan.jsonl", f"{to_line(NOISY)}\n{line}\n")
    with pytest.raises(DataDirError, match=r"plan\.jsonl:2: expected the plan of a mixture, got"):
        read_plans(tmp_path / "plan.jsonl")


@pytest.mark.parametrize(
    ("line", "change", "reason"),
    [
        (OLD_TRIAL, ('"present"', '"maybe"'), "condition 'maybe'"),
        (OLD_TRIAL, ('"role": 2', '"role": null'), "condition 'present'"),
        (to_line(TRIALS[0]), ('"role": 2', '"role": 3'), "role 3 of 2 sources"),
        (to_line(TRIALS[0]), ('"role"', '"part"'), "unexpected keyword argument 'part'"),
        (to_line(TRIALS[0]), ('"enrollment"', '"enrolment"'), "'enrollment'"),
        (to_line(TRIALS[0]), ("{", "["), ""),
    ],
)
def test_a_malformed_line_of_a_trial_is_named(tmp_path, line, change, reason):
    write_text(tmp_path / "plan.jsonl", to_line(TRIALS[1]) + "\n" + line.replace(*change, 1) + "\n")
    with pytest.raises(DataDirError, match=rf"plan.jsonl:2: expected the plan of a trial, got .*{reason}"):
        read_trials(tmp_path / "plan.jsonl")


def test_a_missing_plan_says_how_to_make_one(tmp_path):
    with pytest.raises(DataDirError, match="no such file; write it with plan_mixtures"):
        read_plans(tmp_path / "plan.jsonl")
    with pytest.raises(DataDirError, match="no such file; write it with plan_trials"):
        read_trials(tmp_path / "plan.jsonl")


def test_trials_of_a_mixture_share_it_and_may_not_differ_on_it():
    assert mixtures_of(TRIALS) == [NOISY, TRIALS[2].mixture]
    louder = dataclasses.replace(TRIALS[0], mixture=dataclasses.replace(NOISY, gain=0.5))
    with pytest.raises(DataDirError, match="its trials describe it differently"):
        mixtures_of([louder, TRIALS[1]])
