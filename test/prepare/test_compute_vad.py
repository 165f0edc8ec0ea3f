from pathlib import Path

import numpy as np
import pytest

from zspex_toolkit.data.front_end import read_vad_config
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.archive import ArchiveWriter, read_scp
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.compute_vad import Config, compute_vad, vad_job
from zspex_toolkit.signal.front_end_config import VadConfig

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


@pytest.fixture
def with_feats(speech_dir):
    """The data directory with Kaldi's own features."""
    specs = {utt: f"{REFERENCE}/{spec}" for utt, spec in read_table(REFERENCE / "mfcc_demix20.scp").items()}
    write_table(speech_dir / "feats.scp", specs)
    return speech_dir


def test_the_decisions_are_those_of_kaldis_own_binary(with_feats, tmp_path, jobs_in_process, monkeypatch):
    compute_vad(Config(with_feats, tmp_path / "mfcc", vad_config=REFERENCE / "vad.conf", nj=3))
    voiced = read_scp(with_feats / "vad.scp")
    monkeypatch.chdir(REFERENCE)
    expected = read_scp("vad.scp")
    assert list(voiced) == list(expected)
    assert all(np.array_equal(voiced[utt], expected[utt]) for utt in expected)
    assert all(voiced[utt].dtype == np.float32 for utt in expected)
    assert {path.name for path in (tmp_path / "mfcc").iterdir()} == {
        f"vad_train.{job}.{kind}" for job in (1, 2, 3) for kind in ("ark", "scp")
    }


def test_the_settings_used_are_left_beside_the_decisions(with_feats, tmp_path, jobs_in_process):
    (tmp_path / "vad.yaml").write_text("energy_threshold: 7\n")
    compute_vad(Config(with_feats, tmp_path / "mfcc", vad_config=tmp_path / "vad.yaml"))
    assert read_vad_config(with_feats / "conf" / "vad.conf") == read_vad_config(tmp_path / "vad.yaml")


def test_utterances_without_usable_features_are_named_and_the_decisions_of_before_stay(
    with_feats, tmp_path, jobs_in_process
):
    compute_vad(Config(with_feats, tmp_path / "mfcc"))
    before = (with_feats / "vad.scp").read_bytes()
    specs = read_table(with_feats / "feats.scp")
    first, second, third, fourth = specs
    with ArchiveWriter(tmp_path / "odd.ark", tmp_path / "odd.scp") as writer:
        writer[second] = np.zeros(5)
    odd = read_table(tmp_path / "odd.scp")[second]
    write_table(with_feats / "feats.scp", {second: odd, third: "/none.ark:5", fourth: specs[fourth]})
    with pytest.raises(DataDirError, match="3 of 4 utterances failed"):
        compute_vad(Config(with_feats, tmp_path / "mfcc"))
    dropped = read_table(with_feats / "dropped.txt")
    assert f"feats.scp: no line for '{first}'; run make_mfcc first" in dropped[first]
    assert "expected a matrix of frames, found shape (5,)" in dropped[second]
    assert "no such file" in dropped[third]
    assert (with_feats / "vad.scp").read_bytes() == before


def test_what_make_mfcc_dropped_with_permission_is_not_asked_for_again(with_feats, tmp_path, jobs_in_process, capsys):
    specs = read_table(with_feats / "feats.scp")
    first, *others = specs
    write_table(with_feats / "feats.scp", {utt: specs[utt] for utt in others})
    (with_feats / "dropped.txt").write_text(f"{first} make_mfcc: too short: 24 samples\n")
    compute_vad(Config(with_feats, tmp_path / "mfcc"))
    assert list(read_table(with_feats / "vad.scp")) == others
    told = capsys.readouterr().out
    assert f"dropped {first}: dropped before, by make_mfcc: too short: 24 samples" in told
    assert "1 of the dropped were dropped with permission before, and do not count again" in told


def test_a_directory_without_features_is_refused_at_once(speech_dir, tmp_path, jobs_in_process):
    with pytest.raises(DataDirError, match=r"feats.scp: no such file; run make_mfcc first"):
        compute_vad(Config(speech_dir, tmp_path / "mfcc"))
    assert not jobs_in_process


def test_the_log_tells_the_share_of_voiced_frames_and_how_many_utterances_have_none(tmp_path, capsys):
    write_data_dir(tmp_path / "d", wavs={"a-1": "x", "a-2": "y"}, utt2spk={"a-1": "a", "a-2": "a"})
    with ArchiveWriter(tmp_path / "feats.ark", tmp_path / "d" / "feats.scp") as writer:
        writer["a-1"] = np.array([[9.0, 0], [1, 0], [9, 0]])
        writer["a-2"] = np.array([[1.0, 0]])
    vad_job(
        Config(tmp_path / "d", tmp_path, job=1),
        VadConfig(energy_threshold=5.0, energy_mean_scale=0.0, frames_context=0),
    )
    assert "2 of 4 frames are voiced; 1 utterances have no voiced frame at all" in capsys.readouterr().out
    assert [vector.tolist() for vector in read_scp(tmp_path / "scp.1").values()] == [[1, 0, 1], [0]]


def test_utterances_without_a_voiced_frame_are_counted_at_the_end_and_refused_above_a_share(
    with_feats, tmp_path, jobs_in_process, capsys
):
    specs = read_table(with_feats / "feats.scp")
    first, *others = specs
    with ArchiveWriter(tmp_path / "silent.ark", tmp_path / "silent.scp") as writer:
        writer[first] = np.full((5, 20), -20.0)
    silent = read_table(tmp_path / "silent.scp")[first]
    write_table(with_feats / "feats.scp", {first: silent, **{utt: specs[utt] for utt in others}})
    compute_vad(Config(with_feats, tmp_path / "mfcc"))
    told = capsys.readouterr().out.splitlines()[-1]
    assert told == f"compute_vad: {with_feats}: 1 of 4 utterances are without a voiced frame, such as {first}"
    before = (with_feats / "vad.scp").read_bytes()
    with pytest.raises(DataDirError, match=r"1 of 4 .*; --max_unvoiced_share allows a share of 0.2, vad.scp is as"):
        compute_vad(Config(with_feats, tmp_path / "mfcc", max_unvoiced_share=0.2))
    assert (with_feats / "vad.scp").read_bytes() == before
    with pytest.raises(ConfigError, match="--max_unvoiced_share: expected a share of 0 to 1, got 2"):
        compute_vad(Config(with_feats, tmp_path / "mfcc", max_unvoiced_share=2))
