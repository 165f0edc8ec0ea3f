"""NIST SPHERE: real files of low byte first; packed ones are read through sph2pipe."""

import os

import numpy as np
import pytest
import soundfile

from zspex_toolkit.corpora.support.sphere import fault_of_source, readable_source, sphere_bytes
from zspex_toolkit.io.audio import read_audio

SAMPLES = np.arange(-800, 800, dtype=np.int16)


@pytest.fixture
def packed(tmp_path):
    """A file whose header says what those of WSJ0's discs say."""
    content = sphere_bytes(SAMPLES, 16000, "wsj0")
    coding = b"sample_coding -s26 pcm,embedded-shorten-v2.00"
    path = tmp_path / "it's 01aa010b.wv1"
    path.write_bytes(content[:1024].replace(b"sample_coding -s3 pcm", coding)[:1024] + content[1024:])
    return path


def test_what_is_written_is_read_by_libsndfile(tmp_path):
    (tmp_path / "a.wv1").write_bytes(sphere_bytes(SAMPLES, 16000, "wsj0"))
    samples, fs = soundfile.read(tmp_path / "a.wv1", dtype="int16")
    assert (samples.tolist(), fs) == (SAMPLES.tolist(), 16000)
    assert readable_source(tmp_path / "a.wv1") == str(tmp_path / "a.wv1")
    assert fault_of_source(tmp_path / "a.wv1", 16000) == ("", 1600)


def test_a_packed_file_becomes_a_pipe_and_its_length_comes_from_the_header(packed):
    assert readable_source(packed).startswith("sph2pipe -f wav -p -c 1 '")
    assert fault_of_source(packed, 16000) == ("", 1600)
    assert fault_of_source(packed, 8000) == ("16000 Hz instead of 8000 Hz", 0)


def test_the_pipe_gives_what_sph2pipe_writes(packed, tmp_path, monkeypatch):
    """A stand-in for sph2pipe writes a known file to its standard output."""
    soundfile.write(tmp_path / "known.wav", SAMPLES, 16000)
    (tmp_path / "sph2pipe").write_text(f'#!/bin/sh\ntest -f "$6" && exec cat {tmp_path}/known.wav\n')
    (tmp_path / "sph2pipe").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert np.array_equal(read_audio(readable_source(packed))[0] * 32768, SAMPLES)


def test_a_missing_file_is_a_fault(tmp_path):
    assert fault_of_source(tmp_path / "no.wv1", 16000) == ("missing file", 0)
