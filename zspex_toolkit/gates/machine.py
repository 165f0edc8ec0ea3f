"""The gates' figures on the network itself: odd input, streaming, size, memory and time."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from zspex_toolkit.errors import UserError
from zspex_toolkit.extract.cost import ListCost, measure_list
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.packed_model import weights_path
from zspex_toolkit.gates.table import Figure
from zspex_toolkit.randomness import rng_for

QUIET = 1e-4  # RMS of what must be silent, -80 dB re full scale
LOUDEST = 1.1  # RMS of an output over that of the input; speech is no louder than the mixture that it is part of
EQUAL = 1e-4  # of the output's peak: how far apart two ways to one output may be
# So that the figures of machines with and without AVX-512 can be compared.
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


@dataclass(frozen=True)
class Input:
    """Odd input, and what has to come of it: ``output`` (finite, no louder than the input), ``silence`` or ``refusal``.

    Attributes:
        name: in words.
        mixture: (T,).
        enrollment: (U,).
        expected: some of the three.
        fs, enrollment_fs: rates in Hz.
    """

    name: str
    mixture: np.ndarray
    enrollment: np.ndarray
    expected: tuple[str, ...]
    fs: int
    enrollment_fs: int


def inputs(mixture: np.ndarray, enrollment: np.ndarray, fs: int) -> list[Input]:
    """The table of odd inputs, made of speech (T,) and an enrollment (U,) at ``fs`` Hz."""
    noise = (0.1 * rng_for(0, "noise").standard_normal(len(mixture))).astype(np.float32)
    loud = np.clip(mixture / max(np.abs(mixture).max(), 1e-9) * 10, -1, 1)
    mixtures = [
        ("silence", 0 * mixture, ("silence",)),
        ("a constant", np.full_like(mixture, 0.5), ("silence",)),
        ("white noise", noise, ("output",)),
        ("NaN", _with(mixture, np.nan), ("refusal",)),
        ("infinity", _with(mixture, np.inf), ("refusal",)),
        ("clipped by 20 dB", loud, ("output",)),
        ("60 dB quieter", mixture / 1000, ("output",)),
        ("60 dB louder", mixture * 1000, ("output",)),
        ("no sample", mixture[:0], ("refusal",)),
        *((f"{count} samples", mixture[:count], ("output",)) for count in (1, 2, 3, 10, 100, 1000)),
    ]
    enrollments = [
        ("silence", 0 * enrollment, ("refusal",)),
        ("white noise", noise, ("output",)),
        ("NaN", _with(enrollment, np.nan), ("refusal",)),
        ("clipped by 20 dB", np.clip(enrollment / np.abs(enrollment).max() * 10, -1, 1), ("output",)),
        ("60 dB quieter", enrollment / 1000, ("output",)),
        ("60 dB louder", enrollment * 1000, ("output",)),
        ("no sample", enrollment[:0], ("refusal",)),
        ("1 sample", enrollment[:1], ("output", "refusal")),
        ("0.3 s", enrollment[len(enrollment) // 2 :][: round(0.3 * fs)], ("output",)),
    ]
    return [
        *(Input(f"mixture: {name}", samples, enrollment, expected, fs, fs) for name, samples, expected in mixtures),
        *(Input(f"enrollment: {name}", mixture, samples, expected, fs, fs) for name, samples, expected in enrollments),
        *(Input(f"mixture of {rate} Hz", mixture, enrollment, ("output",), rate, fs) for rate in (11025, 48000)),
        *(Input(f"enrollment of {rate} Hz", mixture, enrollment, ("output",), fs, rate) for rate in (11025, 48000)),
    ]


def check_inputs(extractor: Extractor, mixture: np.ndarray, enrollment: np.ndarray) -> Figure:
    """How many inputs of the table give something else than they should, and what each gives."""
    found = [(one.name, *_outcome(extractor, one)) for one in inputs(mixture, enrollment, extractor.fs)]
    wrong = [name for name, _, is_right in found if not is_right]
    rows = tuple((name, said if is_right else f"**wrong**: {said}") for name, said, is_right in found)
    remark = f"of {len(found)}" + (f": {', '.join(wrong)}" if wrong else "")
    return Figure(float(len(wrong)), remark=remark, rows=rows)


def _outcome(extractor: Extractor, one: Input) -> tuple[str, bool]:
    """What comes of an input, in words, and whether that is right."""
    try:
        voice = extractor.extract(one.mixture, one.enrollment, one.fs, enrollment_fs=one.enrollment_fs)
    except UserError as error:
        return f"refused: {error}", "refusal" in one.expected and "\n" not in str(error)
    except Exception as error:  # whatever it is, it is what this table is there to find
        return f"{type(error).__name__}: {' '.join(str(error).split())}", False
    if voice.shape != one.mixture.shape:
        return f"output of {voice.shape}, not {one.mixture.shape}", False
    if not np.isfinite(voice).all():
        return "output that is not finite", False
    level, given = (float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) for x in (voice, one.mixture))
    is_right = ("silence" in one.expected and level <= QUIET) or ("output" in one.expected and level <= LOUDEST * given)
    return f"output, RMS {level:.2g}, of the input {given:.2g}", is_right


def _with(samples: np.ndarray, value: float) -> np.ndarray:
    samples = samples.copy()
    samples[len(samples) // 2] = value
    return samples


def check_streaming(extractor: Extractor, mixture: np.ndarray, enrollment: np.ndarray) -> Figure:
    """How many of the promises of a stream a causal network breaks; no figure where it is not causal."""
    network = extractor.network
    if network.latency_samples is None:
        return Figure(None, remark="not causal")
    clue, signal = extractor.enroll(enrollment), torch.from_numpy(mixture)[None].to(extractor.device)
    with torch.inference_mode():
        whole, other = network.extract(signal, clue), network.extract(signal.flip(1), clue)
        change = signal.shape[1] // 2
        changed = torch.cat([signal[:, :change], torch.randn_like(signal[:, change:])], 1)
        same = slice(0, max(change - network.latency_samples, 0))
        promises = {
            "blocks of 1 to 64 samples": _same(_streamed(network, clue, signal, 64), whole),
            "blocks of 1 to 4000 samples": _same(_streamed(network, clue, signal, 4000), whole),
            "all at once": _same(_streamed(network, clue, signal, 0), whole),
            "two streams in turn": _interleaved(network, clue, signal, whole, other),
            "another future": _same(network.extract(changed, clue)[:, same], whole[:, same]),
        }
    rows = tuple((name, "same samples" if kept else "**other samples**") for name, kept in promises.items())
    broken = [name for name, kept in promises.items() if not kept]
    return Figure(float(len(broken)), remark=", ".join(broken) or "the same samples in every way", rows=rows)


def check_latency(extractor: Extractor, mixture: np.ndarray, enrollment: np.ndarray) -> Figure:
    """Longest wait for an output sample while the mixture arrives in small blocks, in ms."""
    network = extractor.network
    if network.latency_samples is None:
        return Figure(None, remark="not causal: waits for the whole recording")
    clue, waiting, longest = extractor.enroll(enrollment), 0, 0
    stream = network.stream(clue)
    for block in _blocks(torch.from_numpy(mixture)[None].to(extractor.device), 64):
        waiting += block.shape[1] - stream.push(block).shape[1]
        longest = max(longest, waiting)
    told = f"says {1000 * network.latency_samples / extractor.fs:.1f} ms of itself"
    return Figure(1000 * longest / extractor.fs, remark=told)


def _streamed(network, clue, signal: torch.Tensor, longest: int) -> torch.Tensor:
    stream = network.stream(clue)
    return torch.cat([*(stream.push(block) for block in _blocks(signal, longest)), stream.finish()], 1)


def _interleaved(network, clue, signal: torch.Tensor, whole: torch.Tensor, other: torch.Tensor) -> bool:
    streams, outputs = [network.stream(clue), network.stream(clue)], ([], [])
    for blocks in zip(_blocks(signal, 1000), _blocks(signal.flip(1), 1000), strict=True):
        for stream, block, output in zip(streams, blocks, outputs, strict=True):
            output.append(stream.push(block))
    done = [torch.cat([*output, stream.finish()], 1) for stream, output in zip(streams, outputs, strict=True)]
    return _same(done[0], whole) and _same(done[1], other)


def _blocks(signal: torch.Tensor, longest: int) -> Iterator[torch.Tensor]:
    """(1, T) in blocks of 1 to ``longest`` samples; 0: as one."""
    rng, start = rng_for(0, "blocks"), 0
    while start < signal.shape[1]:
        size = int(rng.integers(1, longest + 1)) if longest else signal.shape[1]
        yield signal[:, start : start + size]
        start += size


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape:
        return False
    return not one.numel() or bool((one - other).abs().max() <= EQUAL * other.abs().max().clamp_min(1e-9))


def measure_cost(model: Path, recordings: Sequence[tuple[str, str]]) -> ListCost | str:
    """What a list of mixtures and enrollments takes in a fresh process held to AVX2; or why there is no figure."""
    if len(recordings) < 2:
        return "needs two recordings or more"
    with tempfile.TemporaryDirectory() as folder, _environment(AVX2):
        listed = Path(folder) / "jobs.tsv"
        lines = (f"{mixture}\t{enrollment}\t{folder}/{n}.wav\n" for n, (mixture, enrollment) in enumerate(recordings))
        listed.write_text("".join(lines), encoding="utf-8")
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                return pool.submit(measure_list, model, listed).result()
            except BrokenProcessPool:
                return "the process was killed; out of memory?"


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """For processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def cost_figure(cost: ListCost | str, value: Callable[[ListCost], float], remark: str) -> Figure:
    """One of the figures of :func:`measure_cost`, with a remark to be filled in; NaN where there is no cost."""
    return (
        Figure(float("nan"), remark=cost) if isinstance(cost, str) else Figure(value(cost), remark=remark.format(cost))
    )


def file_size(model: Path) -> Figure:
    """Of the weights, in MB."""
    path = weights_path(model)
    return Figure(path.stat().st_size / 1e6, remark=path.name)


def licences(model: Path) -> Figure:
    """How many licences the card names; whether they serve is for people to judge."""
    card = model / "README.md"
    text = card.read_text(encoding="utf-8") if card.exists() else ""
    found = set(re.findall(r"CC[ -](?:BY[-A-Z]*|0)(?: \d\.\d)?|Apache[- ]2\.0|\bMIT\b|\bBSD\b|[Pp]ublic domain", text))
    return Figure(float(len(found)), remark=", ".join(sorted(found)) or f"none in {card.name}")


def portable(model: Path) -> Figure:
    """Whether there is an ONNX file beside the weights."""
    files = sorted(path.name for path in model.glob("*.onnx"))
    return Figure(None, remark=", ".join(files) or "not exported")
