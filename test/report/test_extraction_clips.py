"""What is played of one trial."""

import base64
import dataclasses
import io
import shutil

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.report.extraction_cases import Case
from zspex_toolkit.report.extraction_clips import play_case
from zspex_toolkit.report.extraction_scores import read_extraction_scores

CASE = Case("Different genders", "median", "ann-dan-1")


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
