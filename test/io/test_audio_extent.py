"""Every container and codec that is read: whole files have their length, cut ones are refused, whatever the header."""

import io
import struct

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.audio_blocks import scan_audio
from zspex_toolkit.io.audio_extent import length_fault

LENGTH = 10_000
# Blocks of ADPCM are filled up, and files of it do not tell how far the last one is full.
FORMATS = {
    ("WAV", "PCM_U8"): LENGTH,
    ("WAV", "PCM_16"): LENGTH,
    ("WAV", "PCM_24"): LENGTH,
    ("WAV", "PCM_32"): LENGTH,
    ("WAV", "FLOAT"): LENGTH,
    ("WAV", "DOUBLE"): LENGTH,
    ("WAV", "ULAW"): LENGTH,
    ("WAV", "ALAW"): LENGTH,
    ("WAV", "GSM610"): LENGTH,
    ("WAV", "MS_ADPCM"): LENGTH,
    ("WAV", "IMA_ADPCM"): 10_170,
    ("WAVEX", "PCM_16"): LENGTH,
    ("RF64", "PCM_16"): LENGTH,
    ("W64", "PCM_16"): LENGTH,
    ("W64", "GSM610"): LENGTH,
    ("AIFF", "PCM_16"): LENGTH,
    ("AIFF", "FLOAT"): LENGTH,
    ("AU", "PCM_16"): LENGTH,
    ("AU", "ULAW"): LENGTH,
    ("CAF", "PCM_16"): LENGTH,
    ("NIST", "PCM_16"): LENGTH,
    ("FLAC", "PCM_16"): LENGTH,
    ("FLAC", "PCM_24"): LENGTH,
    ("OGG", "VORBIS"): LENGTH,
    ("OGG", "OPUS"): LENGTH,
    ("MP3", "MPEG_LAYER_III"): LENGTH,
}
REFUSED = [("SDS", "PCM_16"), ("VOC", "PCM_16"), ("HTK", "PCM_16"), ("MAT5", "PCM_16"), ("WAV", "G721_32")]


def encoded(samples, container, codec, **options):
    stream = io.BytesIO()
    fs = 8000 if codec == "GSM610" else 16000
    soundfile.write(stream, samples, fs, format=container, subtype=codec, **options)
    return bytearray(stream.getvalue())


def in_file(folder, content):
    (folder / "a").write_bytes(content)
    return folder / "a"


@pytest.mark.parametrize(("container", "codec"), FORMATS)
def test_a_whole_file_has_its_length_wherever_it_is_asked_for(tmp_path, noise, container, codec):
    path = in_file(tmp_path, encoded(noise(LENGTH), container, codec))
    samples, _ = read_audio(path)
    assert (
        len(samples) == audio_info(path).num_samples == scan_audio(path).info.num_samples == FORMATS[container, codec]
    )
    assert np.array_equal(read_audio(path, start=500, stop=700)[0], samples[500:700])
    assert np.corrcoef(samples[:LENGTH], noise(LENGTH))[0, 1] > 0.5  # of noise, most codecs keep little more


@pytest.mark.parametrize(("container", "codec"), FORMATS)
@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(tmp_path, noise, container, codec, cut):
    content = encoded(noise(LENGTH), container, codec)
    path = in_file(tmp_path, content[: int(cut * len(content))])
    with pytest.raises(AudioError, match=f"{path}: "):
        read_audio(path)
    with pytest.raises(AudioError, match=f"{path}: "):
        scan_audio(path)


@pytest.mark.parametrize(("container", "codec"), REFUSED)
def test_formats_that_do_not_tell_their_length_are_refused_with_what_to_do(tmp_path, noise, container, codec):
    path = in_file(tmp_path, encoded(noise(LENGTH), container, codec))
    with pytest.raises(AudioError, match=rf"{container} with {codec} is not supported .*; convert it: ffmpeg -i FILE"):
        read_audio(path)


def wav(data_size, riff_size=None, *, there=2000, behind=b"", fmt_more=b""):
    """A mono WAV of 16 bits whose header says one thing and whose file has ``there`` bytes of samples."""
    fmt = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16) + fmt_more
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", data_size)
    body += b"\1\0" * (there // 2) + behind
    return b"RIFF" + struct.pack("<I", len(body) if riff_size is None else riff_size) + body


TAG = b"LIST" + struct.pack("<I", 4) + b"INFO"


@pytest.mark.parametrize(
    ("content", "num_samples"),
    [
        (wav(2000), 1000),
        (wav(2000, 0), 1000),  # a recorder that never went back for the size of the whole
        (wav(0xFFFFFFFF, 0xFFFFFFFF), 1000),  # streamed: as much as there is
        (wav(0x7FFFFFFF, 0x7FFFFFFF), 1000),
        (wav(0x80000000, 0x80000024), 1000),
        (wav(2000, behind=TAG), 1000),
        (wav(2000, 2036, behind=b"TAG" + b"x" * 125), 1000),  # behind what the file says is its end
    ],
)
def test_headers_that_are_right_or_say_nothing(tmp_path, content, num_samples):
    assert len(read_audio(in_file(tmp_path, content))[0]) == num_samples


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (wav(0, 0), "its header promises 0 bytes of samples, 2000 bytes more follow, as after a recorder was cut off"),
        (wav(0), "its header promises 0 bytes of samples, 2000 bytes more follow"),
        (wav(800), "its header promises 800 bytes of samples, 1200 bytes more follow"),
        (wav(2002), "cut off: its header promises 2002 bytes of samples, it has 2000"),
        (wav(2000, behind=b"data" + struct.pack("<I", 4) + b"abcd"), "holds two parts of samples"),
    ],
)
def test_headers_that_are_wrong(tmp_path, content, fault):
    with pytest.raises(AudioError, match=fault):
        read_audio(in_file(tmp_path, content))


def test_other_chunks_are_skipped_with_their_padding():
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16)
    body = b"WAVE" + fmt + b"LIST\x03\0\0\0abc\0" + b"data" + struct.pack("<I", 4) + b"\0" * 3
    fault = length_fault(io.BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body))
    assert fault == "cut off: its header promises 4 bytes of samples, it has 3"


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFFxxxxWAVE", b"FORM", b".snd", b"NIST_1A", b"caff\0\1\0\0", b"\xff"]
)
def test_what_is_no_audio_is_left_to_the_reader_to_refuse(content):
    assert length_fault(io.BytesIO(content)) is None


def flac_with_total(samples, total):
    content = encoded(samples, "FLAC", "PCM_16")
    content[21] &= 0xF0
    content[22:26] = struct.pack(">I", total)
    return content


def test_flac_from_a_pipe_has_no_length_and_is_counted(tmp_path, noise):
    path = in_file(tmp_path, flac_with_total(noise(LENGTH), 0))
    assert audio_info(path).num_samples == scan_audio(path).info.num_samples == LENGTH
    assert np.array_equal(read_audio(path)[0], noise(LENGTH))
    assert np.array_equal(read_audio(path, start=9000, stop=9100)[0], noise(LENGTH)[9000:9100])
    assert len(read_audio(f"cat {path} |")[0]) == LENGTH


@pytest.mark.parametrize("total", [LENGTH - 1, LENGTH - 4096, 1])
def test_flac_with_more_samples_than_its_header_says_is_refused(tmp_path, noise, total):
    path = in_file(tmp_path, flac_with_total(noise(LENGTH), total))
    for read in (read_audio, scan_audio):
        with pytest.raises(AudioError, match=f"{path}: its header promises {total} samples, more follow"):
            read(path)


def test_flac_with_fewer_samples_than_its_header_says_is_refused(tmp_path, noise):
    with pytest.raises(AudioError, match=f"broken after {LENGTH} of {LENGTH + 1} samples"):
        read_audio(in_file(tmp_path, flac_with_total(noise(LENGTH), LENGTH + 1)))


def test_an_estimated_length_of_mp3_is_no_length(tmp_path, noise):
    content = encoded(np.concatenate([noise(LENGTH), np.zeros(LENGTH)]), "MP3", "MPEG_LAYER_III")
    streamed = content[content.find(b"\xff\xf3", 4) :]  # without the first frame, which holds the Xing header
    with pytest.raises(AudioError, match=r"MP3 that does not tell its length \(no Xing header\); write it anew"):
        read_audio(in_file(tmp_path, streamed))


def test_two_recordings_in_one_file_are_not_taken_for_the_first(tmp_path, noise):
    for container, codec in (("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS")):
        with pytest.raises(AudioError, match=r"more follow|streams of Ogg"):
            read_audio(in_file(tmp_path, encoded(noise(LENGTH), container, codec) * 2))
