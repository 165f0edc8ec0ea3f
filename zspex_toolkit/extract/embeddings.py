"""Embeddings of utterances, of segments of them, and of speakers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from zspex_toolkit.data.segments import batches_by_length, pad_batch, random_segment
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.io.table import invert, write_table
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.tasks.embedding import load_embedder
from zspex_toolkit.train.device import resolve_device

MAX_FRAMES = 20_000  # padded frames of one forward pass


def embed(
    network: Callable[..., Tensor],
    feats: Sequence[Tensor],
    *,
    device: torch.device | str = "cpu",
    known: Tensor | None = None,
    title: str = "embed",
) -> Tensor:
    """Embeddings of many utterances, in batches of like length.

    Args:
        network: ``network(feats, num_frames)``, or ``network(feats, num_frames, known)`` if ``known`` is given.
        feats: (L_i, F) each.
        device: where the network lies.
        known: (N, D) known embedding of each utterance, for a de-mixing network.
        title: of the progress bar, which is shown on a terminal.

    Returns:
        (N, D) float32 on the CPU, in the order of ``feats``.
    """
    batches = batches_by_length([len(one) for one in feats], MAX_FRAMES)
    rows: list[Tensor | None] = [None] * len(feats)
    with torch.inference_mode():
        for batch in tqdm(batches, desc=title, disable=None, leave=False):
            stacked, num_frames = pad_batch([feats[index] for index in batch])
            inputs = [stacked.to(device), None if num_frames is None else num_frames.to(device)]
            if known is not None:
                inputs.append(known[batch].to(device))
            for index, row in zip(batch, network(*inputs).float().cpu(), strict=True):
                rows[index] = row
    return torch.stack(rows)


@dataclass(frozen=True)
class ExtractConfig:
    """Settings of extract_embeddings."""

    model: Path  # experiment of the embedder
    data: Path  # data directory with feats.scp and vad.scp
    out: Path  # folder that gets xvector.ark, xvector.scp, utt2spk and spk2utt
    segments_per_utterance: int = 0  # random segments of each utterance; 0: the whole utterance
    segment_frames: int = 200  # voiced frames of a segment
    seed: int = 0  # of the segments' places
    device: str = "auto"  # auto, cpu or cuda:N


def extract_embeddings(config: ExtractConfig) -> None:
    """Embed every utterance of a data directory, or random segments of it.

    The key of a segment is ``<utt>-<number>``, that of a whole utterance its own.
    """
    data, out, count = config.data, config.out, config.segments_per_utterance
    refuse_overwriting("out", out, [data, config.model])
    embedder, features, place = _load(config.model, data, config.device)
    utterances, feats = [], []
    utt2spk = {}
    for utt in features.utterances:
        for number in range(max(count, 1)):
            key = f"{utt}-{number:03d}" if count else utt
            rng = rng_for(config.seed, "embedding segment", utt, number)
            feats.append(random_segment(features[utt], config.segment_frames if count else 0, rng))
            utterances.append(key)
            utt2spk[key] = features.utt2spk[utt]
    vectors = embed(embedder, feats, device=place, title=f"embed {data}")
    _write(out, "xvector", dict(zip(utterances, vectors.numpy(), strict=True)))
    write_table(out / "spk2utt", invert(utt2spk))
    write_table(out / "utt2spk", utt2spk)
    print(f"{data}: embedded {len(features.utterances)} utterances as {len(utterances)} vectors in {out}", flush=True)


@dataclass(frozen=True)
class AverageConfig:
    """Settings of average_embeddings."""

    model: Path  # experiment of the embedder
    data: Path  # data directory with feats.scp and vad.scp
    out: Path  # folder that gets spk_xvector.ark, spk_xvector.scp and spk2utt
    num_segments: int = 200  # segments of each speaker
    segment_frames: int = 200  # voiced frames of a segment
    seed: int = 0  # of the segments
    device: str = "auto"  # auto, cpu or cuda:N


def average_embeddings(config: AverageConfig) -> None:
    """Clean embedding of each speaker: the mean embedding of random segments of its speech.

    Each segment is a random place of a random utterance.

    Source: Shi & Hain, arXiv 2001.06397, Section 3 (200 segments).
    """
    data, out, num_segments, segment_frames = config.data, config.out, config.num_segments, config.segment_frames
    if num_segments < 1 or segment_frames < 1:
        raise ConfigError(f"expected at least one segment of one frame, got {num_segments} of {segment_frames}")
    refuse_overwriting("out", out, [data, config.model])
    embedder, features, place = _load(config.model, data, config.device)
    means = {}
    for spk, utterances in tqdm(features.data.spk2utt.items(), desc=f"average {data}", disable=None, leave=False):
        rng = rng_for(config.seed, "clean embedding", spk)
        drawn = [utterances[rng.integers(len(utterances))] for _ in range(num_segments)]
        feats = [random_segment(features[utt], segment_frames, rng) for utt in drawn]
        means[spk] = embed(embedder, feats, device=place).mean(0).numpy()
    _write(out, "spk_xvector", means)
    shutil.copyfile(data / "spk2utt", out / "spk2utt")
    print(f"{data}: {len(means)} speakers, mean of {num_segments} segments each, in {out}", flush=True)


def _load(model: Path, data: Path, device: str) -> tuple[nn.Module, StoredFeatures, torch.device]:
    place = resolve_device(device)
    spec, embedder = load_embedder(model)
    return embedder.to(place), StoredFeatures(data, spec.front_end), place


def _write(out: Path, name: str, vectors: dict[str, np.ndarray]) -> None:
    with ArchiveWriter(out / f"{name}.ark", out / f"{name}.scp") as writer:
        for key in sorted(vectors, key=str.encode):
            writer[key] = vectors[key]
