"""What --check_audio finds behind tables that are sound, each with file and line."""

import numpy as np
import pytest

from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.validate import check_data_dir
from zspex_toolkit.io.write import write_data_dir


def faults_of(data, **options) -> list[str]:
    faults = check_data_dir(data, check_audio=True, **options).faults
    return [str(fault).replace(f"{data.parent}/", "") for fault in faults]


def wav_of(data, utt: str):
    return data.parent / "wav" / f"{utt}.wav"


def test_missing_empty_and_broken_files_are_named(data):
    wav_of(data, "ann-1").unlink()
    wav_of(data, "ann-2").write_bytes(b"")
    wav_of(data, "bob-1").write_bytes(b"RIFF is all there is")
    assert faults_of(data)[:2] == [
        "data/wav.scp:1: wav/ann-1.wav: no such file or directory",
        "data/wav.scp:2: wav/ann-2.wav: empty file",
    ]
    assert faults_of(data)[2].startswith("data/wav.scp:3: wav/bob-1.wav: not readable as audio: ")


def test_a_silent_utterance_is_named(data):
    write_audio(wav_of(data, "bob-2"), np.zeros(12800), 16000)
    assert faults_of(data) == ["data/wav.scp:4: 'bob-2' is silent: mean power below -80 dB"]


def test_a_recording_of_another_rate_is_named(data, noise):
    write_audio(wav_of(data, "bob-1"), noise(11200), 44100)
    assert faults_of(data) == ["data/wav.scp:3: 'bob-1': expected 16000 Hz as most recordings have, found 44100 Hz"]


def test_the_asked_rate_is_that_of_all(data):
    assert faults_of(data, fs=8000)[0] == "data/wav.scp:1: 'ann-1': expected 8000 Hz, found 16000 Hz"
    assert len(faults_of(data, fs=8000)) == 4


def test_rates_that_utt2fs_declares_may_differ(data, noise):
    write_audio(wav_of(data, "bob-1"), noise(11200), 8000)
    (data / "utt2fs").write_text("ann-1 16000\nann-2 16000\nbob-1 8000\nbob-2 16000\n")
    assert faults_of(data) == []


def test_lengths_are_compared_with_the_tables(data):
    (data / "utt2num_samples").write_text("ann-1 8000\nann-2 9601\nbob-1 11200\nbob-2 12800\n")
    (data / "utt2dur").write_text("ann-1 0.52\nann-2 0.6\nbob-1 0.7\nbob-2 0.9\n")
    assert faults_of(data) == [
        "data/utt2num_samples:2: 'ann-2' has 9600 samples, not 9601",
        "data/utt2dur:4: 'bob-2' has 0.8 s, not 0.9",
    ]


def test_segments_are_cut_and_checked(data, noise):
    tape = np.concatenate([noise(16000), np.zeros(16000)])
    write_audio(data.parent / "tape.wav", tape, 16000)
    write_data_dir(
        data.parent / "cut",
        wavs={"tape": str(data.parent / "tape.wav")},
        utt2spk={f"ann-{number}": "ann" for number in range(1, 5)},
        segments={
            "ann-1": ("tape", 0, 0.5),
            "ann-2": ("tape", 1, 1.5),
            "ann-3": ("tape", 1.5, 2.6),
            "ann-4": ("tape", 0, 1),
        },
        tables={"utt2num_samples": {"ann-1": 8000, "ann-2": 8000, "ann-3": 8000, "ann-4": 1}, "reco2dur": {"tape": 3}},
    )
    assert sorted(faults_of(data.parent / "cut")) == [
        "cut/reco2dur:1: 'tape' has 2 s, not 3",
        "cut/segments:2: 'ann-2' is silent: mean power below -80 dB",
        "cut/segments:3: 'ann-3' from 1.5 s to 2.6 s lies outside its recording of 2.000 s",
        "cut/segments:3: 'ann-3' is silent: mean power below -80 dB",
        "cut/utt2num_samples:4: 'ann-4' has 16000 samples, not 1",
    ]


@pytest.fixture
def mixtures(tmp_path, noise):
    """Three mixtures of two sources each, and another utterance of the first speaker as enrollment."""
    tables = {"spk1.scp": {}, "spk2.scp": {}, "enroll_spk1.scp": {}}
    wavs = {}
    for number in range(3):
        utt = f"ann-{number}"
        signals = {"spk1.scp": noise(16000, 3 * number), "spk2.scp": noise(16000, 3 * number + 1)}
        signals["wav.scp"] = signals["spk1.scp"] + signals["spk2.scp"]
        signals["enroll_spk1.scp"] = noise(20000, 3 * number + 2)
        for name, samples in signals.items():
            path = tmp_path / name / f"{utt}.wav"
            write_audio(path, samples, 16000)
            (wavs if name == "wav.scp" else tables[name])[utt] = str(path)
    write_data_dir(tmp_path / "mix", wavs=wavs, utt2spk=dict.fromkeys(wavs, "ann"), tables=tables)
    return tmp_path / "mix"


def test_a_sound_mixture_is_the_sum_of_its_sources(mixtures):
    assert faults_of(mixtures) == []


def test_a_mixture_that_is_not_the_sum_is_named(mixtures, noise):
    mixed = noise(16000, 0) + noise(16000, 1)
    mixed[77] += 3 / 32768  # the sources' own rounding explains 1.5 steps at most
    write_audio(mixtures.parent / "wav.scp" / "ann-0.wav", mixed, 16000)
    assert faults_of(mixtures) == [
        "mix/wav.scp:1: 'ann-0' is not the sum of its sources (spk1.scp + spk2.scp): they differ by up to 9.2e-05"
    ]


def test_a_source_of_another_length_or_missing_is_named(mixtures, noise):
    write_audio(mixtures.parent / "spk2.scp" / "ann-0.wav", noise(15999), 16000)
    (mixtures.parent / "spk2.scp" / "ann-1.wav").unlink()
    assert faults_of(mixtures) == [
        "mix/spk2.scp:1: 'ann-0' has 15999 samples, its mixture 16000",
        "mix/spk2.scp:2: spk2.scp/ann-1.wav: no such file or directory",
    ]


def test_noise_is_one_of_the_summands(mixtures, noise):
    (mixtures / "noise1.scp").write_text((mixtures / "spk2.scp").read_text())
    with_noise = noise(16000, 0) + 2 * noise(16000, 1)
    write_audio(mixtures.parent / "wav.scp" / "ann-0.wav", with_noise, 16000)
    assert [fault[:24] for fault in faults_of(mixtures)] == ["mix/wav.scp:2: 'ann-1' i", "mix/wav.scp:3: 'ann-2' i"]
    assert "(noise1.scp + spk1.scp + spk2.scp)" in faults_of(mixtures)[0]


def test_where_no_sum_holds_the_sources_are_other_microphones(mixtures, noise):
    for number in range(3):
        write_audio(mixtures.parent / "wav.scp" / f"ann-{number}.wav", noise(16000, 99), 16000)
    findings = check_data_dir(mixtures, check_audio=True)
    assert findings.faults == []
    assert "no mixture is the sum of its sources" in str(findings.warnings[-1])
    (mixtures / "plan.jsonl").write_text('{"id": "ann-0"}\n')  # simulated by plan: the sums must hold
    assert len(faults_of(mixtures)) == 3


def test_enrollment_with_the_target_itself_is_named(mixtures, noise):
    # the target began 0.25 s into its own utterance and was scaled
    write_audio(mixtures.parent / "enroll_spk1.scp" / "ann-1.wav", np.r_[noise(4000, 50), 0.5 * noise(16000, 3)], 16000)
    assert faults_of(mixtures) == [
        "mix/enroll_spk1.scp:2: 'ann-1' is enrolled with its own target utterance; choose another one of the speaker"
    ]


def test_a_declared_leak_of_a_published_list_is_no_fault(mixtures, noise):
    for number in (1, 2):
        write_audio(mixtures.parent / "enroll_spk1.scp" / f"ann-{number}.wav", noise(16000, 3 * number), 16000)
    (mixtures / "enroll_is_target").write_text("ann-1 1\n")
    (fault,) = faults_of(mixtures)
    assert fault.startswith("mix/enroll_spk1.scp:3: 'ann-2' is enrolled with its own target utterance")


def test_enrollment_that_is_no_audio_is_left_alone(mixtures):
    (mixtures / "enroll_spk1.scp").write_text("ann-0 *ann-7 ann\nann-1 ann.npy\nann-2 *ann-8 ann\n")
    assert faults_of(mixtures) == []


def test_processes_find_what_one_process_finds(data, mixtures):
    wav_of(data, "ann-1").unlink()
    assert faults_of(data, nj=2) == faults_of(data, nj=1) != []


def test_audio_is_not_opened_while_the_tables_are_faulty(data):
    wav_of(data, "ann-1").unlink()
    (data / "spk2gender").write_text("ann x\nbob m\n")
    assert faults_of(data) == ["data/spk2gender:1: expected 'm' or 'f', got 'x'"]
