"""Speed of the features beside that of kaldi-native-fbank, in one run, on one thread."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from zspex_toolkit.data.front_end import read_mfcc_config
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare import make_mfcc
from zspex_toolkit.prepare.make_mfcc import compute_mfcc, mfcc_job
from zspex_toolkit.signal.front_end_config import MfccConfig
from zspex_toolkit.signal.mfcc import INT16_SCALE, Mfcc


@dataclass(frozen=True)
class Speeds:
    """Seconds of audio per second of CPU time.

    Attributes:
        num_seconds: audio in the data directory.
        compute, peer_compute: samples in memory to features in memory; ours, and kaldi-native-fbank's.
        command, peer_command: ``wav.scp`` to archive, reading and writing included, without the start of Python.
        largest_difference: between the two sets of features.
    """

    num_seconds: float
    compute: float
    peer_compute: float
    command: float
    peer_command: float
    largest_difference: float

    @property
    def compute_ratio(self) -> float:
        return self.compute / self.peer_compute

    @property
    def command_ratio(self) -> float:
        return self.command / self.peer_command


@dataclass(frozen=True)
class Config:
    """Settings of benchmark_mfcc."""

    data: Path | None = None  # data directory to read; without it, audio is made
    mfcc_config: Path | None = None  # option file, Kaldi's mfcc.conf or YAML; without it the de-mixing settings
    seconds: float = 600.0  # how much audio to make
    num_runs: int = 3  # every figure is the best of so many runs


def benchmark_mfcc(config: Config) -> None:
    """Measure and print a table."""
    mfcc_config = read_mfcc_config(config.mfcc_config)
    with tempfile.TemporaryDirectory() as folder:
        data = config.data or make_audio(Path(folder) / "data", seconds=config.seconds, fs=mfcc_config.fs)
        speeds = measure(data, mfcc_config, out=Path(folder), num_runs=config.num_runs)
    print(table(speeds))


def table(speeds: Speeds) -> str:
    """The figures as a Markdown table."""
    rows = [
        ("samples to features", speeds.peer_compute, speeds.compute, speeds.compute_ratio),
        ("wav.scp to archive", speeds.peer_command, speeds.command, speeds.command_ratio),
    ]
    lines = ["| times real time, one thread | kaldi-native-fbank | zspex_toolkit | ratio |", "|---|---|---|---|"]
    lines += [f"| {name} | {peer:.0f} | {ours:.0f} | {ratio:.1f} |" for name, peer, ours, ratio in rows]
    lines.append(f"\n{speeds.num_seconds:.0f} s of audio; CPU time, without the start of Python; ")
    lines[-1] += f"largest difference of a feature: {speeds.largest_difference:.1g}"
    return "\n".join(lines)


def make_audio(data: Path, *, seconds: float, fs: int) -> Path:
    """A data directory of 4-s utterances of noise whose level moves like that of speech."""
    rng = np.random.default_rng(0)
    utts = [f"noise-{number:05d}" for number in range(max(1, round(seconds / 4)))]
    for utt in utts:
        envelope = np.interp(np.arange(4 * fs), np.arange(0, 4 * fs + 1, fs // 5), rng.uniform(0, 0.2, 21))
        write_audio(data / "wav" / f"{utt}.wav", np.clip(envelope * rng.standard_normal(4 * fs), -1, 1), fs)
    wavs = {utt: str(data / "wav" / f"{utt}.wav") for utt in utts}
    write_data_dir(data, wavs=wavs, utt2spk=dict.fromkeys(utts, "noise"))
    return data


def measure(data: Path, config: MfccConfig, *, out: Path, num_runs: int) -> Speeds:
    """Speeds over the utterances of ``data``; archives go to ``out``.

    Raises:
        DataDirError: if an utterance has no features.
        ConfigError: if kaldi-native-fbank is not installed.
    """
    native, mfcc, source = native_mfcc(config), Mfcc(config), DataDir.load(data)
    recordings = [(utt, source.read_audio(utt, fs=config.fs)[0]) for utt in source.utterances]
    num_seconds = sum(len(samples) for _, samples in recordings) / config.fs
    ours = dict(compute_mfcc(recordings, mfcc))
    differences = [np.abs(ours[utt] - native(samples)).max() for utt, samples in recordings if len(ours[utt])]
    if len(differences) < len(recordings):
        raise DataDirError(f"{data}: {len(recordings) - len(differences)} utterances are too short for a frame")

    def native_job() -> None:
        with ArchiveWriter(out / "native.ark", out / "native.scp") as writer:
            for utt in source.utterances:
                writer[utt] = native(source.read_audio(utt, fs=config.fs)[0])

    def our_job() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            mfcc_job(make_mfcc.Config(data, out, job=1), config)

    def speed(work: Callable[[], object]) -> float:
        return num_seconds / min(_cpu_seconds(work) for _ in range(num_runs))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return Speeds(
            num_seconds=num_seconds,
            compute=speed(lambda: list(compute_mfcc(recordings, mfcc))),
            peer_compute=speed(lambda: [native(samples) for _, samples in recordings]),
            command=speed(our_job),
            peer_command=speed(native_job),
            largest_difference=float(max(differences)),
        )
    finally:
        torch.set_num_threads(threads)


def native_mfcc(config: MfccConfig) -> Callable[[np.ndarray], np.ndarray]:
    """The same features by kaldi-native-fbank, a port of Kaldi's C++: samples (T,) to frames (L, F).

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        import kaldi_native_fbank
    except ImportError as error:
        raise ConfigError("kaldi-native-fbank is not installed: pip install kaldi-native-fbank") from error
    options = kaldi_native_fbank.MfccOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.samp_freq, frame.frame_length_ms, frame.frame_shift_ms = (
        config.fs,
        config.frame_length_ms,
        config.frame_shift_ms,
    )
    frame.preemph_coeff, frame.remove_dc_offset = config.preemphasis, config.remove_dc
    frame.window_type, frame.snip_edges, frame.dither = config.window, config.snip_edges, config.dither
    frame.round_to_power_of_two = config.round_to_power_of_two
    mel.num_bins, mel.low_freq, mel.high_freq = config.num_mel_bins, config.low_hz, config.high_hz
    options.num_ceps, options.cepstral_lifter = config.num_ceps, config.cepstral_lifter
    options.use_energy, options.raw_energy = config.use_energy, config.raw_energy
    options.energy_floor = config.energy_floor

    def compute(samples: np.ndarray) -> np.ndarray:
        computer = kaldi_native_fbank.OnlineMfcc(options)
        computer.accept_waveform(config.fs, samples * np.float32(INT16_SCALE))
        computer.input_finished()
        frames = [computer.get_frame(index) for index in range(computer.num_frames_ready)]
        return np.stack(frames) if frames else np.zeros((0, config.num_ceps), dtype=np.float32)

    return compute


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
