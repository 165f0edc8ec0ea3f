"""``zspex stream``: bytes in, bytes out, and a clean end however it comes."""

import io
import signal
import subprocess
import sys
import wave

import numpy as np
import pytest
import torch
from support.filter_extractor import low_noise
from support.tiny_model import write_model

from zspex_toolkit.config import dump_config
from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.extract.live import Config, read_wav_header, stream, wav_header
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.models.extractors.band_split import SMALL
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor
from zspex_toolkit.train.checkpoint import save_weights

FS = 8000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An untrained causal network, whose masks are about one."""
    folder = tmp_path_factory.mktemp("causal")
    torch.manual_seed(0)
    spec = ExtractorSpec("band_split", SMALL["causal"], FS, 3)
    (folder / "model.yaml").write_text(dump_config(spec))
    save_weights(build_extractor(spec).state_dict(), folder / "best.safetensors")
    return folder


@pytest.fixture(scope="module")
def enrollment(tmp_path_factory):
    path = tmp_path_factory.mktemp("voice") / "me.wav"
    write_audio(path, low_noise(FS), FS)
    return path


def pcm(samples):
    return (samples * 32767).round().astype("<i2").tobytes()


def samples_of(content):
    return np.frombuffer(content, "<i2") / 32768


def test_raw_samples_come_out_as_many_and_standard_error_tells_of_them(model, enrollment, capsys):
    sink, signal_in = io.BytesIO(), low_noise(FS, seed=2)
    stream(Config((str(enrollment),), model=str(model), fs=FS), io.BytesIO(pcm(signal_in)), sink)
    out = samples_of(sink.getvalue())
    assert len(out) == FS
    np.testing.assert_allclose(out, signal_in, atol=0.05)  # masks of about one
    told = capsys.readouterr().err
    assert told.startswith("stream: 1.0 s of sound; latency 32 ms of the network") and "real-time factor" in told


def test_a_wav_file_comes_out_as_one_with_its_rate(model, enrollment):
    source, sink = io.BytesIO(), io.BytesIO()
    with wave.open(source, "wb") as file:
        file.setparams((2, 2, 16000, 0, "NONE", ""))
        file.writeframes(pcm(np.repeat(low_noise(16000, fs=16000), 2)))
    source.seek(0)
    stream(Config((str(enrollment),), model=str(model), format="wav"), source, sink)
    sink.seek(0)
    assert read_wav_header(sink) == (16000, 1)
    assert len(sink.read()) == 2 * 16000


def test_a_header_of_unknown_length_is_read_as_it_is_written():
    assert read_wav_header(io.BytesIO(wav_header(44100))) == (44100, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ended within the header"),
        (bytes(100), "expected a WAV file, found none; raw samples need --format raw"),
        (wav_header(8000).replace(b"\x10\0data", b"\x18\0data"), "found kind 1 of 24 bits"),
        (wav_header(8000)[:12] + wav_header(8000)[36:], "a WAV file without a format"),
    ],
)
def test_what_is_no_wav_file_of_16_bits_is_refused(content, message):
    with pytest.raises(AudioError, match=message):
        read_wav_header(io.BytesIO(content))


def test_no_sound_at_all_is_told(model, enrollment, capsys):
    stream(Config((str(enrollment),), model=str(model)), io.BytesIO(), io.BytesIO())
    assert capsys.readouterr().err.endswith("stream: no sound came in\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"enrollment": ()}, "expected --enrollment or --clue"),
        ({"fs": 0}, "fs: expected 1 to 384000, got 0"),
        ({"channels": 0}, "channels: expected 1 to 64, got 0"),
        ({"block_ms": 0.0}, "block_ms: expected a number above 0"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        stream(Config(**{"enrollment": ("me.wav",)} | change), io.BytesIO(), io.BytesIO())


def test_a_model_that_is_not_causal_is_refused(tmp_path, enrollment):
    other = write_model(tmp_path / "model")
    with pytest.raises(UserError, match="causal: true"):
        stream(Config((str(enrollment),), model=str(other), fs=FS), io.BytesIO(), io.BytesIO())


@pytest.fixture
def started(model, enrollment):
    """The command itself, at its first block."""
    command = [
        sys.executable,
        "-m",
        "zspex_toolkit.bin.stream",
        "--enrollment",
        enrollment,
        "--model",
        model,
        "--fs",
        FS,
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(list(map(str, command)), bufsize=0, **pipes) as process:
        process.stdin.write(pcm(low_noise(FS)))
        process.stdin.flush()
        assert process.stdout.read(2)
        yield process
        process.kill()


def test_ctrl_c_writes_what_is_missing_and_ends_well(started):
    started.send_signal(signal.SIGINT)
    out, told = started.communicate(timeout=60)
    assert started.returncode == 0 and len(out) == 2 * FS - 2
    assert b"stream: interrupted\nstream: 1.0 s of sound" in told and b"Traceback" not in told


def test_a_reader_that_goes_away_ends_it_without_a_traceback(started):
    started.stdout.close()
    try:
        for _ in range(200):
            started.stdin.write(pcm(low_noise(FS)))
        started.stdin.close()
    except BrokenPipeError:
        pass
    assert started.wait(60) != 0
    assert b"Traceback" not in started.stderr.read()


def test_a_stall_of_the_input_is_waited_for(started):
    started.stdin.write(pcm(low_noise(FS, seed=1)))
    out, told = started.communicate(timeout=60)
    assert started.returncode == 0 and len(out) == 4 * FS - 2
    assert b"stream: 2.0 s of sound" in told
