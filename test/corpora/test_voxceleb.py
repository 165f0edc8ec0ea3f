"""VoxCeleb: speaker, video and file in the path; m4a through ffmpeg."""

import os

import pytest

from zspex_toolkit.corpora import voxceleb
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.data_dir import DataDir


def test_ids_hold_speaker_video_and_file_and_genders_come_from_the_meta_file(root, tmp_path):
    data = DataDir.load(voxceleb.prepare(root, tmp_path / "data")[0])
    assert data.wavs["id10001--k0A_b-x9Yz-00001"] == f"{root}/wav/id10001/-k0A_b-x9Yz/00001.wav"
    assert data.table("spk2gender")["id10001"] == "m"
    assert data.table("spk2gender")["id10038"] == "f"


def test_the_number_of_speakers_and_of_their_utterances_can_be_limited(root, tmp_path, capsys):
    data = DataDir.load(voxceleb.prepare(root, tmp_path, num_speakers=5, num_utterances=3)[0])
    assert [len(utts) for utts in data.spk2utt.values()] == [3] * 5
    counts = "voxceleb: in 56, kept 15, dropped 41 (over num_utterances: 25, speaker over num_speakers: 16)"
    assert counts in capsys.readouterr().out


def test_a_draw_depends_on_the_seed_alone(root, tmp_path):
    def drawn(out, seed):
        return DataDir.load(voxceleb.prepare(root, tmp_path / out, num_utterances=3, seed=seed)[0]).utterances

    assert drawn("a", 0) == drawn("b", 0)
    assert drawn("a", 0) != drawn("c", 1)


def test_m4a_becomes_an_ffmpeg_pipe_and_a_missing_ffmpeg_is_said(root, tmp_path, monkeypatch, capsys):
    video = root / "dev/aac/id00012/21Uxsk56VDQ"
    video.mkdir(parents=True)
    (video / "00001.m4a").write_bytes(b"not opened here")
    monkeypatch.setenv("PATH", str(tmp_path))
    data = DataDir.load(voxceleb.prepare(root, tmp_path / "data")[0])
    command = f"ffmpeg -v error -i {video}/00001.m4a -ac 1 -ar 16000 -f wav -acodec pcm_s16le - |"
    assert data.wavs["id00012-21Uxsk56VDQ-00001"] == command
    warning = "voxceleb: warning: 1 m4a files need ffmpeg, which is not in PATH here"
    assert warning in capsys.readouterr().out
    assert not (data.path / "spk2gender").exists()  # nobody told the new speaker's
    assert not (data.path / "utt2num_samples").exists()  # nobody opened the file


def test_the_pipe_gives_what_ffmpeg_writes(root, tmp_path, monkeypatch):
    """A stand-in for ffmpeg writes a known file to its standard output."""
    spoken = root / "wav/id10001/-k0A_b-x9Yz/00001.wav"
    video = root / "aac/id10001/a video's id"
    (tmp_path / "ffmpeg").write_text(f'#!/bin/sh\ntest -f "$4" && exec cat {spoken}\n')
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    video = root / "it's here" / "id10001" / "21Uxsk56VDQ"
    video.mkdir(parents=True)
    (video / "00007.m4a").touch()
    data = DataDir.load(voxceleb.prepare(root, tmp_path / "data")[0])
    decoded = data.read_audio("id10001-21Uxsk56VDQ-00007")[0]
    assert decoded.tobytes() == data.read_audio("id10001--k0A_b-x9Yz-00001")[0].tobytes()


def test_a_decoded_copy_goes_before_the_m4a(root, tmp_path):
    (root / "wav/id10001/-k0A_b-x9Yz/00001.m4a").touch()
    data = DataDir.load(voxceleb.prepare(root, tmp_path)[0])
    assert data.wavs["id10001--k0A_b-x9Yz-00001"].endswith("00001.wav")
    dropped = (tmp_path / "dropped.txt").read_text()
    assert dropped == "wav/id10001/-k0A_b-x9Yz/00001.m4a second copy\n"


def test_voxceleb_2_meta_files_are_read_with_their_padded_columns(tmp_path):
    (tmp_path / "vox2_meta.csv").write_text("VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid00012 ,n000012 ,m ,dev \n")
    assert voxceleb._genders(tmp_path) == {"id00012": "m"}


@pytest.mark.parametrize("option", ["num_speakers", "num_utterances"])
def test_a_limit_below_one_is_refused(root, tmp_path, option):
    with pytest.raises(ConfigError, match=f"^voxceleb: expected {option} of 1 or more, got -1$"):
        voxceleb.prepare(root, tmp_path, **{option: -1})
