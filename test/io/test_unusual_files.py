"""Whole files of unusual writers are read; cut ones of any coding are told."""

import struct

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import AudioError, DataDirError
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.data_dir import read_segments
from zspex_toolkit.io.source_mark import source_mark

FS = 8000
NOISE = 0.1 * np.random.default_rng(0).standard_normal(16000)


def wav(payload, *behind, bits=16):
    """A WAV file by hand: the samples, and what lies behind them within the size of the whole."""
    kind = {16: 1, 8: 7}[bits]
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, 1, FS, FS * bits // 8, bits // 8, bits)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(payload)) + payload + b"".join(behind)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


@pytest.mark.parametrize("coding", ["ULAW", "ALAW", "PCM_16"])
def test_a_sphere_file_of_any_coding_that_is_cut_or_goes_on_is_told(tmp_path, coding):
    path = tmp_path / "a.sph"
    soundfile.write(path, NOISE, FS, format="NIST", subtype=coding)
    whole = path.read_bytes()
    assert len(read_audio(path)[0]) == len(NOISE)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioError, match="cut off"):
        read_audio(path)
    path.write_bytes(whole + b"\1" * 512)
    with pytest.raises(AudioError, match="512 bytes more follow"):
        read_audio(path)


@pytest.mark.parametrize("size", [1, 8, 512])
def test_zeros_behind_the_samples_of_a_wav_are_padding(tmp_path, size):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(bytes(range(200)) * 10, bytes(size)))
    assert len(read_audio(path)[0]) == 1000


def test_many_bytes_behind_the_samples_are_still_told(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(bytes(range(200)) * 10, bytes(range(256)) * 40))
    with pytest.raises(AudioError, match="10240 bytes more follow"):
        read_audio(path)


@pytest.mark.parametrize("pad", [b"", b"\0"])
def test_an_odd_number_of_bytes_may_be_padded_or_not_before_the_next_chunk(tmp_path, pad):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(b"\x55" * 1001, pad, struct.pack("<4sI4s", b"LIST", 4, b"INFO"), bits=8))
    assert len(read_audio(path)[0]) == 1001


def test_flac_behind_an_id3_tag_is_read(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, NOISE, FS)
    path.write_bytes(b"ID3\x04\0\0\0\0\0\x20" + bytes(32) + path.read_bytes())
    assert len(read_audio(path)[0]) == len(NOISE)


def test_folders_and_devices_that_a_command_names_do_not_count(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.sph").write_bytes(b"1234")
    command = "sph2pipe -f wav x.sph 2> /dev/null |"
    before = source_mark(command)
    assert before.startswith("4:")
    (tmp_path / "wav").mkdir()
    assert source_mark(command) == before


def test_a_segment_that_begins_before_its_recording_is_refused(tmp_path):
    (tmp_path / "segments").write_text("u1 r -0.5 -1\n")
    with pytest.raises(DataDirError, match="segments:1: expected 0 <= start < end"):
        read_segments(tmp_path / "segments")
