"""What headers promise, worked out byte by byte."""

import io
import struct

import pytest

from zspex_toolkit.io.audio_header import declared_num_samples, is_shortened_sphere


def riff(data_size: int, *, chunks: bytes = b"", channels: int = 1, sample_bytes: int = 2) -> io.BytesIO:
    fmt = struct.pack("<HHIIHH", 1, channels, 16000, 16000, channels * sample_bytes, 8 * sample_bytes)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + chunks + b"data" + struct.pack("<I", data_size)
    return io.BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body)


def test_a_wav_promises_its_data_bytes_over_its_block_size():
    assert declared_num_samples(riff(1000)) == 500
    assert declared_num_samples(riff(1200, channels=2, sample_bytes=3)) == 200


def test_other_chunks_before_the_data_are_skipped_with_their_padding():
    assert declared_num_samples(riff(1000, chunks=b"LIST\x03\0\0\0abc\0")) == 500


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000])
def test_a_size_that_stands_for_unknown_promises_nothing(size):
    assert declared_num_samples(riff(size)) is None


def test_sphere_says_its_sample_count():
    head = b"NIST_1A\n   1024\nchannel_count -i 1\nsample_count -i 61440\nend_head\n"
    assert declared_num_samples(io.BytesIO(head.ljust(1024))) == 61440


def test_other_formats_promise_nothing():
    assert declared_num_samples(io.BytesIO(b"fLaC" + bytes(100))) is None
    assert declared_num_samples(io.BytesIO(b"RIFF")) is None


def test_packed_sphere_is_told_from_plain_sphere():
    plain, packed = b"NIST_1A\nsample_coding -s3 pcm\n", b"NIST_1A\nsample_coding -s26 pcm,embedded-shorten-v2.00\n"
    assert not is_shortened_sphere(io.BytesIO(plain))
    assert is_shortened_sphere(io.BytesIO(packed))
