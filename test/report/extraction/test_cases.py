"""Cases are chosen by rank, and what is played of one."""

import base64
import dataclasses
import io
import math
import shutil

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.report.extraction.cases import Case, choose_cases, play_case
from zspex_toolkit.report.extraction.scores import Scored, read_extraction_scores

CASE = Case("Different genders", "median", "ann-dan-1")


def scored(system, lines):
    trials = {line["id"]: {"condition": "present", "target": "t", **line} for line in lines}
    return Scored(system, "test", "", {"groups": []}, trials)


def eleven(system, kind, shift=0.0):
    """Gains 0, 1, ..., 10 dB in trials named backwards, so that the order of names tells nothing."""
    return scored(system, [{"id": f"{kind[0]}{10 - g:02d}", "pair": kind, "si_sdri": g + shift} for g in range(11)])


def places(cases):
    return [(case.heading, case.place, case.trial) for case in cases]


def test_each_kind_has_its_10th_50th_and_90th_percentile_and_the_worst_comes_last():
    assert places(choose_cases([eleven("zspex", "female")])) == [
        ("Female and female", "10th percentile", "f09"),
        ("Female and female", "median", "f05"),
        ("Female and female", "90th percentile", "f01"),
        ("The worst of all", "lowest mean improvement", "f10"),
    ]


def test_the_mean_over_the_systems_decides_and_the_mixture_has_no_say():
    lines = [{"id": name, "pair": "male", "si_sdri": 0.0} for name in "abc"]
    one = scored("one", [{**line, "si_sdri": gain} for line, gain in zip(lines, (9.0, 5.0, 0.0), strict=True)])
    two = scored("two", [{**line, "si_sdri": gain} for line, gain in zip(lines, (0.0, 5.0, 6.0), strict=True)])
    mixture = scored("mixture", [{**line, "si_sdri": -99.0} for line in lines])
    assert places(choose_cases([mixture, one, two])) == [  # means: a 4.5, b 5, c 3
        ("Male and male", "10th percentile", "c"),
        ("Male and male", "median", "a"),
        ("Male and male", "90th percentile", "b"),
    ]


def test_a_trial_that_a_system_lacks_is_not_chosen():
    one = eleven("one", "different")
    two = scored("two", [{"id": "d05", "pair": "different", "si_sdri": 1.0}])
    assert places(choose_cases([one, two])) == [("Different genders", "10th percentile", "d05")]


def test_a_silent_output_is_the_worst_of_all():
    one = eleven("one", "different")
    one.trials["d03"] |= {"si_sdri": None, "silent": True}
    assert choose_cases([one])[-1].trial == "d03"


def test_the_absent_case_is_the_median_by_energy_left():
    lines = [
        {"id": f"x{n}", "condition": "absent", "energy_left_db": energy, "silent": energy == -math.inf}
        for n, energy in enumerate((-30.0, -10.0, -20.0))
    ]
    assert places(choose_cases([scored("one", lines)])) == [("Target absent", "median energy left", "x2")]


def test_nothing_scored_gives_no_case():
    assert choose_cases([]) == []
    assert choose_cases([scored("one", [])]) == []


@pytest.fixture
def play(tse_exp):
    """``play(case, set)``: the case with all systems of a set."""

    def run(case=CASE, name="test", seconds=9.0, data=tse_exp.parent / "data", change=lambda scored: scored):
        scored = change([one for one in read_extraction_scores(tse_exp) if one.set == name])
        folders = lambda one: (data / f"trials_{name}", tse_exp / one.system / "extracted" / name)  # noqa: E731
        return play_case(case, scored, folders, seconds)

    return run


def samples_of(clip):
    return soundfile.read(io.BytesIO(base64.b64decode(clip.audio.partition(",")[2])))[0]


def test_columns_are_mixture_systems_ground_truth_and_enrollment(play):
    assert [clip.heading for clip in play().clips] == ["Mixture", "SpEx+", "Z-SpEx", "Ground truth", "Enrollment"]


def test_an_absent_target_has_no_ground_truth(play):
    played = play(Case("Target absent", "median energy left", "ann-dan-0"), "test_absent")
    assert [clip.heading for clip in played.clips] == ["Mixture", "SpEx+", "Z-SpEx", "Enrollment"]
    assert played.clips[0].figures == ("energy left 0.0 dB",)


def test_one_gain_holds_for_the_case_so_levels_can_be_compared(play):
    mixture, spex_plus, zspex, truth, enrollment = map(samples_of, play().clips)
    peaks = [np.abs(samples).max() for samples in (mixture, spex_plus, zspex, truth)]
    assert max(peaks) == pytest.approx(0.9, abs=1e-3) == np.abs(enrollment).max()
    # The made-up output is the target with the interferer 8 (10) dB and some down, at the gain of the mixture.
    interferer = mixture - truth
    for output, low, high in ((spex_plus, 7, 9), (zspex, 9, 11)):
        gain = -20 * np.log10(np.dot(output - truth, interferer) / np.dot(interferer, interferer))
        assert low - 0.05 <= gain <= high + 0.05


def test_figures_and_facts_are_those_of_the_trial(play):
    played = play()
    assert played.facts == "target ann, interferer dan, trial ann-dan-1, SNR +0.0 dB, enrollment 0.8 s, overlap 75 %"
    mixture, spex_plus, *_, truth, enrollment = (clip.figures for clip in played.clips)
    assert mixture == ("SI-SDR 0.00 dB",)
    assert spex_plus == ("SI-SDR 8.00 dB", "improvement 8.00 dB", "PESQ 2.80")
    assert truth == enrollment == ()


def test_a_silent_output_is_called_so(play):
    def silence(scored):
        line = {**scored[1].trials[CASE.trial], "silent": True, "si_sdr": None}
        return [scored[0], dataclasses.replace(scored[1], trials={CASE.trial: line})]

    assert play(change=silence).clips[1].figures == ("silent",)


def test_longer_recordings_are_cut(play):
    assert {clip.seconds for clip in play(seconds=0.5).clips} == {0.5}
    assert len(samples_of(play(seconds=0.5).clips[0])) == 4000


def test_a_recording_of_another_rate_or_without_a_line_is_named(play, tse_exp, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(tse_exp.parent / "data", data)
    table = data / "trials_test" / "enroll_spk1.scp"
    write_audio(tmp_path / "other.wav", np.full(100, 0.1, dtype=np.float32), 16000)
    lines = table.read_text().splitlines()
    table.write_text(
        "".join(f"{CASE.trial} {tmp_path}/other.wav\n" if CASE.trial in one else one + "\n" for one in lines)
    )
    with pytest.raises(DataDirError, match="ann-dan-1: Enrollment has 16000 Hz, the mixture 8000 Hz"):
        play(data=data)
    table.write_text("".join(one + "\n" for one in lines if CASE.trial not in one))
    with pytest.raises(DataDirError, match=r"enroll_spk1\.scp: no line for 'ann-dan-1'"):
        play(data=data)
