"""Enrollments of Libri2Mix's trials: the published format, and draws that never leak."""

import pytest

from zspex_toolkit.corpora.support.enrollment_map import draw_enrollment_map, read_enrollment_map, to_text
from zspex_toolkit.errors import DataDirError

PAIRS = [("1-a-0", "2-a-0"), ("2-a-1", "1-a-1"), ("1-a-0", "3-a-0"), ("3-a-1", "2-a-0")]
FORM = "expected '<mixture> <target utterance> s1|s2/<mixture>'"
UTTERANCES = {"_".join(pair): pair for pair in PAIRS}


def write(tmp_path, *lines):
    path = tmp_path / "map_mixture2enrollment"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_a_line_says_mixture_target_and_which_source_of_which_mixture_enrolls(tmp_path):
    path = write(tmp_path, "1-a-0_2-a-0 2-a-0 s1/2-a-1_1-a-1", "1-a-0_2-a-0 1-a-0 s2/2-a-1_1-a-1")
    expected = {("1-a-0_2-a-0", 1): ("2-a-1_1-a-1", 0), ("1-a-0_2-a-0", 0): ("2-a-1_1-a-1", 1)}
    assert read_enrollment_map(path, UTTERANCES) == expected


def test_what_is_written_is_read_again(tmp_path):
    drawn = draw_enrollment_map(UTTERANCES, 0, "test")
    path = tmp_path / "map"
    path.write_text(to_text(drawn, UTTERANCES))
    assert read_enrollment_map(path, UTTERANCES) == drawn


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1-a-0_2-a-0 2-a-0", f"{FORM}, got '1-a-0_2-a-0 2-a-0'"),
        ("1-a-0_2-a-0 2-a-0 s3/x", f"{FORM}, got '1-a-0_2-a-0 2-a-0 s3/x'"),
        ("", f"{FORM}, got ''"),
        ("x 2-a-0 s1/2-a-1_1-a-1", "mixture 'x' is not in the metadata of the set"),
        ("1-a-0_2-a-0 2-a-0 s1/x", "mixture 'x' is not in the metadata of the set"),
        ("1-a-0_2-a-0 3-a-0 s1/2-a-1_1-a-1", "utterance '3-a-0' is not in mixture '1-a-0_2-a-0'"),
        (
            "1-a-0_2-a-0 2-a-0 s2/2-a-1_1-a-1",
            "'s2/2-a-1_1-a-1' is speech of speaker 1, the target's speaker is 2",
        ),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_file_and_line(tmp_path, line, message):
    path = write(tmp_path, "1-a-0_2-a-0 1-a-0 s2/2-a-1_1-a-1", line)
    with pytest.raises(DataDirError) as error:
        read_enrollment_map(path, UTTERANCES)
    assert str(error.value) == f"{path}:2: {message}"


def test_a_second_line_for_one_target_is_refused(tmp_path):
    path = write(tmp_path, *["1-a-0_2-a-0 1-a-0 s2/2-a-1_1-a-1"] * 2)
    with pytest.raises(
        DataDirError, match=f"^{path}:2: mixture '1-a-0_2-a-0' has an earlier line for the same target$"
    ):
        read_enrollment_map(path, UTTERANCES)


@pytest.mark.parametrize("seed", range(20))
def test_a_drawn_enrollment_is_another_utterance_of_the_same_speaker(seed):
    for (mixture, side), (enrolling, other) in draw_enrollment_map(UTTERANCES, seed, "test").items():
        target, enrollment = UTTERANCES[mixture][side], UTTERANCES[enrolling][other]
        assert target.split("-")[0] == enrollment.split("-")[0]
        assert enrollment not in UTTERANCES[mixture]


def test_a_draw_depends_on_neither_order_nor_other_targets():
    backwards = dict(reversed(UTTERANCES.items()))
    assert draw_enrollment_map(backwards, 3, "dev") == draw_enrollment_map(UTTERANCES, 3, "dev")
    assert len({str(draw_enrollment_map(UTTERANCES, seed, "dev")) for seed in range(8)}) > 1


def test_a_speaker_of_one_utterance_has_no_enrollment():
    pairs = {"1-a-0_2-a-0": ("1-a-0", "2-a-0"), "1-a-1_2-a-0": ("1-a-1", "2-a-0")}
    assert sorted(draw_enrollment_map(pairs, 0, "test")) == [("1-a-0_2-a-0", 0), ("1-a-1_2-a-0", 0)]
