import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from zspex_toolkit.data.front_end import read_mfcc_config
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.prepare import make_mfcc as module
from zspex_toolkit.prepare.make_mfcc import Config, compute_mfcc, make_mfcc
from zspex_toolkit.signal.front_end_config import DEMIXING
from zspex_toolkit.signal.mfcc import Mfcc

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"
CONF = REFERENCE / "mfcc_demix20.conf"


def test_the_data_directory_gets_what_kaldis_script_leaves(speech_dir, tmp_path, jobs_in_process, monkeypatch):
    make_mfcc(Config(speech_dir, tmp_path / "mfcc", mfcc_config=CONF, nj=2))
    feats = read_scp(speech_dir / "feats.scp")
    monkeypatch.chdir(REFERENCE)
    expected = read_scp("mfcc_demix20.scp")
    assert list(feats) == list(expected)
    for utt in expected:
        np.testing.assert_allclose(feats[utt], expected[utt], rtol=0, atol=2e-2)
    assert read_table(speech_dir / "utt2num_frames") == {utt: str(len(matrix)) for utt, matrix in expected.items()}
    assert (speech_dir / "frame_shift").read_text() == "0.01\n"
    assert read_mfcc_config(speech_dir / "conf" / "mfcc.conf") == read_mfcc_config(CONF)
    assert {path.name for path in (tmp_path / "mfcc").iterdir()} == {
        f"raw_mfcc_train.{job}.{kind}" for job in (1, 2) for kind in ("ark", "scp")
    }


def test_without_an_option_file_the_settings_are_those_of_de_mixing(speech_dir, tmp_path, jobs_in_process):
    make_mfcc(Config(speech_dir, tmp_path / "mfcc"))
    assert read_mfcc_config(speech_dir / "conf" / "mfcc.conf") == read_mfcc_config(CONF)


def arrays(data):
    return {utt: matrix.copy() for utt, matrix in read_scp(data / "feats.scp").items()}


def test_neither_the_number_of_jobs_nor_the_dither_of_others_changes_the_features(
    speech_dir, tmp_path, jobs_in_process
):
    (tmp_path / "mfcc.conf").write_text("--dither=1.0\n")
    make_mfcc(Config(speech_dir, tmp_path / "mfcc", mfcc_config=tmp_path / "mfcc.conf", nj=1))
    one = arrays(speech_dir)
    make_mfcc(Config(speech_dir, tmp_path / "mfcc", mfcc_config=tmp_path / "mfcc.conf", nj=3))
    three = arrays(speech_dir)
    make_mfcc(Config(speech_dir, tmp_path / "mfcc", mfcc_config=tmp_path / "mfcc.conf", seed=1))
    other_seed = arrays(speech_dir)
    for utt, matrix in one.items():
        np.testing.assert_allclose(three[utt], matrix, rtol=0, atol=1e-3)
        assert np.abs(other_seed[utt] - matrix).max() > 0.01


def test_compressed_features_take_a_third_of_the_space_and_stay_close(speech_dir, tmp_path, jobs_in_process):
    make_mfcc(Config(speech_dir, tmp_path / "plain"))
    plain, size = arrays(speech_dir), (tmp_path / "plain" / "raw_mfcc_train.1.ark").stat().st_size
    make_mfcc(Config(speech_dir, tmp_path / "small", compress=True))
    assert (tmp_path / "small" / "raw_mfcc_train.1.ark").stat().st_size < size / 3
    for utt, matrix in arrays(speech_dir).items():
        assert np.sqrt(np.mean((matrix - plain[utt]) ** 2)) < 0.02 * plain[utt].std()


def break_audio(folder):
    """Faulty recordings; name -> what the reason must hold."""
    noise = np.random.default_rng(0).normal(0, 0.1, 16000)
    soundfile.write(folder / "wrong_rate.wav", noise, 44100)
    soundfile.write(folder / "short.wav", noise[:79], 16000)
    soundfile.write(folder / "silent.wav", np.zeros(16000), 16000)
    return {
        "wrong_rate": "expected 16000 Hz, found 44100 Hz",
        "short": "too short: 79 samples, a frame has 400",
        "silent": "silent: all 16000 samples are 0",
        "missing": "no such file",
    }


def test_every_bad_utterance_is_named_with_its_reason(speech_dir, tmp_path, jobs_in_process, capsys):
    reasons = break_audio(tmp_path)
    wavs, utt2spk = read_table(speech_dir / "wav.scp"), read_table(speech_dir / "utt2spk")
    write_table(speech_dir / "wav.scp", wavs | {f"x-{name}": tmp_path / f"{name}.wav" for name in reasons})
    write_table(speech_dir / "utt2spk", utt2spk | {f"x-{name}": "x" for name in [*reasons, "unlisted"]})
    reasons["unlisted"] = "wav.scp: no line for 'x-unlisted'"
    with pytest.raises(DataDirError, match="5 of 9 utterances failed"):
        make_mfcc(Config(speech_dir, tmp_path / "mfcc", nj=2))
    dropped = read_table(speech_dir / "dropped.txt")
    assert set(dropped) == {f"x-{name}" for name in reasons}
    log = capsys.readouterr().out
    for name, reason in reasons.items():
        assert reason in dropped[f"x-{name}"]
        assert f"dropped x-{name}: " in log
    make_mfcc(Config(speech_dir, tmp_path / "mfcc", nj=2, max_dropped_share=0.6))
    assert list(read_table(speech_dir / "feats.scp")) == list(wavs)


def test_a_bad_option_file_stops_everything_before_it_starts(speech_dir, tmp_path, jobs_in_process):
    (tmp_path / "mfcc.conf").write_text("--num-cepp=20\n")
    with pytest.raises(ConfigError, match=r"mfcc.conf:1: unknown option --num-cepp; did you mean --num-ceps?"):
        make_mfcc(Config(speech_dir, tmp_path / "mfcc", mfcc_config=tmp_path / "mfcc.conf"))
    assert not jobs_in_process
    assert not (tmp_path / "mfcc").exists()


def test_segments_of_recordings_are_utterances(speech_dir, tmp_path, jobs_in_process):
    wavs = read_table(speech_dir / "wav.scp")
    reco = next(iter(wavs))
    write_table(speech_dir / "segments", {f"{reco}-a": f"{reco} 0.5 1.5", f"{reco}-b": f"{reco} 1.5 3"})
    write_table(speech_dir / "utt2spk", {f"{reco}-a": reco, f"{reco}-b": reco})
    make_mfcc(Config(speech_dir, tmp_path / "mfcc"))
    assert read_table(speech_dir / "utt2num_frames") == {f"{reco}-a": "100", f"{reco}-b": "150"}


def test_a_data_directory_given_with_a_dot_is_named_by_its_folder(speech_dir, tmp_path, jobs_in_process, monkeypatch):
    shutil.copytree(speech_dir, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    make_mfcc(Config(Path("."), tmp_path / "mfcc"))
    assert (tmp_path / "mfcc" / "raw_mfcc_here.1.ark").exists()


def noise(num_samples, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(num_samples)).astype(np.float32)


def test_utterances_come_out_in_order_however_they_are_grouped(monkeypatch):
    recordings = [(f"a-{n}", noise(n)) for n in (3000, 90, 20000, 400, 7000, 1000)]
    whole = dict(compute_mfcc(recordings, Mfcc(DEMIXING)))
    monkeypatch.setattr(module, "GROUP_SAMPLES", 5000)
    pieces = list(compute_mfcc(recordings, Mfcc(DEMIXING)))
    assert [utt for utt, _ in pieces] == [utt for utt, _ in recordings]
    for utt, feats in pieces:
        np.testing.assert_allclose(feats, whole[utt], rtol=0, atol=1e-3)


@pytest.mark.slow
def test_an_hour_long_recording_has_no_seams():
    hour = noise(3600 * 16000)
    ((_, feats),) = compute_mfcc([("a-1", hour)], Mfcc(DEMIXING))
    start = 300_000
    ((_, part),) = compute_mfcc([("a-1", hour[start * 160 : (start + 500) * 160])], Mfcc(DEMIXING))
    assert feats.shape == (360_000, 20)
    np.testing.assert_allclose(feats[start + 2 : start + 498], part[2:498], rtol=0, atol=1e-3)
