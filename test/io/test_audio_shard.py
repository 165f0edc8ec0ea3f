"""Recordings come out of a shard as they went in, to the last bit."""

import io
import subprocess
import tarfile

import kaldiio
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.audio_shard import exact_wav, index_tar, write_shard


@settings(deadline=None)
@given(arrays(np.int16, st.integers(1, 50)))
def test_sixteen_bits_stay_sixteen_bits(samples):
    wav = exact_wav(samples.astype(np.float32) / 32768, 8000)
    assert np.array_equal(soundfile.read(io.BytesIO(wav), dtype="int16")[0], samples)
    assert (soundfile.info(io.BytesIO(wav)).subtype, len(wav)) == ("PCM_16", 44 + 2 * len(samples))


@settings(deadline=None)
@given(arrays(np.float32, st.integers(1, 50), elements=st.floats(-2, 2, width=32)))
def test_any_samples_are_read_back_exactly(samples):
    found, fs = soundfile.read(io.BytesIO(exact_wav(samples, 44100)), dtype="float32")
    assert np.array_equal(found, samples) and fs == 44100


def test_more_than_sixteen_bits_become_floating_point():
    wav = exact_wav(np.float32([0.5, 0.5 + 2**-23]), 16000)
    assert soundfile.info(io.BytesIO(wav)).subtype == "FLOAT"
    assert soundfile.info(io.BytesIO(exact_wav(np.float32([1.0]), 16000))).subtype == "FLOAT"  # 16 bits end below 1


@pytest.mark.parametrize("name", ["a.ark", "a.tar"])
def test_every_recording_is_found_at_its_offset(tmp_path, noise, name):
    recordings = {f"{'long-' * 30}{n}": noise(500 + n, n) for n in range(5)}
    offsets = write_shard(tmp_path / name, ((key, exact_wav(wav, 16000)) for key, wav in recordings.items()))
    for offset, wav in zip(offsets, recordings.values(), strict=True):
        assert np.array_equal(read_audio(f"{tmp_path / name}:{offset}")[0], wav)


def test_kaldis_own_reader_takes_the_archive(tmp_path, noise):
    write_shard(tmp_path / "a.ark", [(key, exact_wav(noise(500, n), 16000)) for n, key in enumerate("abc")])
    found = {key: array for key, (_, array) in kaldiio.load_ark(f"{tmp_path}/a.ark")}
    assert [np.array_equal(found[key], np.rint(noise(500, n) * 32768)) for n, key in enumerate("abc")] == [True] * 3


def test_a_tar_is_the_same_at_any_time_and_unpacks_to_wav_files(tmp_path, noise):
    for name in ("a", "b"):
        write_shard(tmp_path / f"{name}.tar", [("utt-1", exact_wav(noise(500), 16000))])
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    subprocess.run(["tar", "xf", "a.tar"], cwd=tmp_path, check=True)
    assert np.array_equal(read_audio(tmp_path / "utt-1.wav")[0], noise(500))


def test_the_index_of_a_tar_is_what_its_writer_said(tmp_path, noise):
    recordings = [(key, exact_wav(noise(500), 16000)) for key in ("b.1", "a/2")]
    offsets = write_shard(tmp_path / "a.tar", recordings)
    assert index_tar(tmp_path / "a.tar") == {"b.1": offsets[0], "a/2": offsets[1]}


def tar_of(path, names, mode="w"):
    with tarfile.open(path, mode) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"1234"))
    return path


def test_other_members_of_a_tar_are_passed_over(tmp_path):
    path = tar_of(tmp_path / "a.tar", ["./x.json", "./x.FLAC", "./x.txt", "y.wav"])
    assert index_tar(path) == {"x": 3 * 512, "y": 7 * 512}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x.wav", "x.flac"], r"a\.tar: 'x' is there twice"),
        (["x y.wav"], "expected names without blanks, got 'x y.wav'"),
    ],
)
def test_names_that_are_no_keys_are_refused(tmp_path, names, message):
    with pytest.raises(DataDirError, match=message):
        index_tar(tar_of(tmp_path / "a.tar", names))


def test_what_is_no_plain_tar_is_refused(tmp_path):
    tar_of(tmp_path / "a.tar.gz", ["x.wav"], "w:gz")
    with pytest.raises(DataDirError, match=r"a\.tar\.gz: expected a whole tar without compression"):
        index_tar(tmp_path / "a.tar.gz")
    with pytest.raises(DataDirError, match=r"b\.tar: no such file or directory"):
        index_tar(tmp_path / "b.tar")
