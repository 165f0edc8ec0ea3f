"""How much a recording sounds like a speaker: the cosine between embeddings by an x-vector network."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.extract.embeddings import embed
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.metrics.cosine_similarity import cosine_similarity
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig
from zspex_toolkit.tasks.embedding import EmbedderSpec, load_embedder
from zspex_toolkit.tasks.experiment import read_spec
from zspex_toolkit.train.device import resolve_device

AT_ONCE = 2000  # recordings whose features are in memory; of five seconds each they take 200 MB


class SpeakerSimilarity:
    """Embeddings of recordings, made once each.

    Args:
        embedder: experiment of the network.
        sources: recordings, as in ``wav.scp``; one may come several times.
        fs: their rate in Hz.
        device: auto, cpu or cuda:N.
        nj: number of processes that compute features.

    Attributes:
        faults: why a recording has no embedding.

    Raises:
        ConfigError: if the network is made for another rate.
        AudioError: if audio is missing or broken.
    """

    def __init__(self, embedder: Path, sources: Iterable[str], *, fs: int, device: str = "auto", nj: int = 1):
        front_end = read_spec(EmbedderSpec, embedder).front_end
        if front_end.mfcc.fs != fs:
            raise ConfigError(
                f"{embedder}: this network is made for {front_end.mfcc.fs} Hz, the audio has {fs} Hz; train one on it"
            )
        place = resolve_device(device)
        _, network = load_embedder(embedder)
        network.to(place)
        self.faults: dict[str, str] = {}
        self._vectors: dict[str, np.ndarray] = {}
        names = sorted(set(sources))
        for first in range(0, len(names), AT_ONCE):
            part = names[first : first + AT_ONCE]
            made = dict(
                zip(part, map_in_processes(partial(_features, front_end), part, nj, label="features"), strict=True)
            )
            self.faults |= {name: fault for name, fault in made.items() if isinstance(fault, str)}
            found = {name: torch.from_numpy(feats) for name, feats in made.items() if name not in self.faults}
            vectors = embed(network, list(found.values()), device=place, title="speakers").numpy() if found else []
            self._vectors |= dict(zip(found, vectors, strict=True))

    def __call__(self, recording: str, other: str) -> float | None:
        """Cosine, -1 to 1; None if one of the two has no embedding."""
        if recording not in self._vectors or other not in self._vectors:
            return None
        return float(cosine_similarity(self._vectors[recording], self._vectors[other]))


def _features(config: FrontEndConfig, source: str) -> np.ndarray | str:
    """(L, F), or why there are none."""
    if multiprocessing.parent_process() is not None:
        torch.set_num_threads(1)
    samples, _ = read_audio(source, fs=config.mfcc.fs)
    if not np.ptp(samples) > 0:
        return "silent"
    if len(samples) < config.mfcc.frame_length:
        return f"shorter than one frame of {config.mfcc.frame_length} samples"
    with torch.inference_mode():
        return _front_end(config)(torch.from_numpy(samples)[None])[0][0].numpy()


@lru_cache(maxsize=1)
def _front_end(config: FrontEndConfig) -> FrontEnd:
    return FrontEnd(config)
