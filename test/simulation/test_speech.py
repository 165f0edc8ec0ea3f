"""Tests of the audio behind plans."""

import dataclasses

import numpy as np
import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.plan import Enrollment, Noise, Passage, Piece, Plan
from zspex_toolkit.simulation.speech import Speech, active_samples

PLAN = Plan("a-1_b-1", tuple(Passage(spk, (Piece(f"{spk}-1", 0, 400),), 400) for spk in "ab"), 0.0, 16000, 400, 0)


@pytest.fixture
def data(tmp_path):
    half = np.repeat([0.0, 0.4], 200)
    signals = {"a-1": 0.5 * half * np.tile([1, -1], 200), "b-1": np.tile([0.1, -0.1, -0.1, 0.1], 100)}
    for utt, samples in signals.items():
        write_audio(tmp_path / f"{utt}.wav", samples, 16000)
    write_data_dir(
        tmp_path / "data",
        wavs={utt: str(tmp_path / f"{utt}.wav") for utt in signals},
        utt2spk={utt: utt[0] for utt in signals},
    )
    return tmp_path / "data"


def test_a_plan_is_rendered_from_the_files_it_names(data):
    rendered = Speech.load(data).render(PLAN)
    assert power(rendered.sources[0]) == pytest.approx(power(rendered.sources[1]), rel=1e-3)


def test_the_active_level_counts_voiced_frames_alone(data):
    # 160 samples a frame at 16 kHz: frames 0 and 1 hold a's silence and a little speech, frame 2 speech.
    with ArchiveWriter(data / "vad.ark", data / "vad.scp") as vad:
        vad["a-1"] = np.array([0.0, 0.0, 1.0], dtype=np.float32)
        vad["b-1"] = np.array([1.0, 1.0, 1.0], dtype=np.float32)
    rendered = Speech.load(data, active_level=True).render(PLAN)
    assert power(rendered.sources[0][320:]) == pytest.approx(power(rendered.sources[1]), rel=1e-3)


def test_an_utterance_missing_from_vad_scp_is_named(data):
    with ArchiveWriter(data / "vad.ark", data / "vad.scp") as vad:
        vad["a-1"] = np.ones(3, dtype=np.float32)
    with pytest.raises(DataDirError, match=r"vad\.scp: no line for 'b-1'"):
        Speech.load(data, active_level=True).render(PLAN)


def test_the_active_level_without_vad_scp_says_what_to_run(data):
    with pytest.raises(DataDirError, match=r"vad\.scp: no such file, but --level active needs it; run compute_vad"):
        Speech.load(data, active_level=True)


def test_a_folder_that_the_plan_needs_is_asked_for(data):
    noisy = dataclasses.replace(PLAN, noise=Noise("tap.flac", 0, 9.0))
    with pytest.raises(DataDirError, match=r"has noise tap\.flac, but there is none in --noise_dir"):
        Speech.load(data).render(noisy)
    sources = (dataclasses.replace(PLAN.sources[0], room="hall.flac"), PLAN.sources[1])
    with pytest.raises(DataDirError, match=r"has room hall\.flac, but there is none in --room_dir"):
        Speech.load(data).render(dataclasses.replace(PLAN, sources=sources))
    enrollment = Enrollment(sources[0])
    with pytest.raises(DataDirError, match=r"enrollment a-1 has room hall\.flac, but there is none in --room_dir"):
        Speech.load(data).enroll(enrollment)


def test_an_enrollment_without_gain_is_as_it_was_recorded(data):
    speech = Speech.load(data)
    enrollment = Enrollment(Passage("a", (Piece("a-1", 100, 200),), 200))
    assert np.array_equal(speech.enroll(enrollment), speech.read("a-1")[100:300])


def test_a_plan_of_another_rate_is_refused(data):
    with pytest.raises(DataDirError, match=r"mixture a-1_b-1: is of 8000 Hz, but .*data of 16000 Hz"):
        Speech.load(data).render(dataclasses.replace(PLAN, fs=8000))


@pytest.mark.parametrize(
    ("decisions", "num_samples", "expected"),
    [([1.0, 0.0, 1.0], 8, [1, 1, 0, 0, 1, 1, 1, 1]), ([0.0, 1.0, 1.0], 3, [0, 0, 1])],
)
def test_decisions_are_spread_over_their_samples_and_the_last_to_the_end(decisions, num_samples, expected):
    assert active_samples(np.array(decisions), num_samples, 2).astype(int).tolist() == expected


def test_no_decisions_are_refused():
    with pytest.raises(ValueError, match="no voice activity decisions"):
        active_samples(np.zeros(0), 3, 2)
