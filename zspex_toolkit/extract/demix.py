"""De-mix a user's own recording: one known voice in, the other speaker's embedding out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.errors import AudioError, UserError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.metrics.cosine_similarity import cosine_similarity
from zspex_toolkit.signal.front_end import FrontEnd
from zspex_toolkit.signal.resample import resample
from zspex_toolkit.tasks.demixing import load_known_embedder, load_network
from zspex_toolkit.train.device import resolve_device


class Demixer:
    """A trained de-mixing network, ready for recordings.

    Args:
        model: its experiment; nothing else is needed.
        device: auto, cpu or cuda:N.

    Raises:
        UserError: if the experiment is missing, unfinished or broken.
    """

    def __init__(self, model: str | Path, *, device: str = "auto"):
        spec, network = load_network(Path(model))
        self._device = resolve_device(device)
        self._network = network.to(self._device)
        self._known_embedder = load_known_embedder(Path(model)).to(self._device)
        self._front_end = FrontEnd(spec.embedder.front_end)
        self.fs = spec.embedder.front_end.mfcc.fs

    @torch.inference_mode()
    def embed_known(self, samples: np.ndarray) -> np.ndarray:
        """Embedding (D,) of clean speech (T,) in [-1, 1] at ``self.fs``."""
        return self._known_embedder(self._feats(samples))[0].cpu().numpy()

    @torch.inference_mode()
    def demix(self, mixture: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Embedding (D,) of the other speaker in a mixture.

        Args:
            mixture: (T,) in [-1, 1] at ``self.fs``.
            known: (D,) embedding of the known speaker, from :meth:`embed_known`; average several.

        Raises:
            AudioError: if the mixture is silent or too short for one frame.
        """
        known_row = torch.from_numpy(np.asarray(known, np.float32))[None].to(self._device)
        return self._network(self._feats(mixture), None, known_row)[0].cpu().numpy()

    def _feats(self, samples: np.ndarray) -> torch.Tensor:
        if not np.any(samples):
            raise AudioError("silent: every sample is zero")
        shortest = self._front_end.config.mfcc.frame_length
        if len(samples) < shortest:
            raise AudioError(f"too short: expected at least {shortest} samples at {self.fs} Hz, found {len(samples)}")
        feats, _ = self._front_end(torch.from_numpy(np.asarray(samples, np.float32))[None])
        return feats.to(self._device)


@dataclass(frozen=True)
class Config:
    """Settings of demix."""

    model: Path  # experiment of a de-mixing network
    mixture: str  # recording of two speakers
    known: tuple[str, ...]  # recordings of one of them, a.wav,b.wav; several are averaged
    output: Path  # file for the embedding (npy)
    identify: Path | None = None  # spk_xvector.scp of enrolled speakers, to be ranked by cosine
    top: int = 5  # how many of them to print
    device: str = "auto"  # auto, cpu or cuda:N


def demix(config: Config) -> None:
    """Write the embedding (D,) of the other speaker to ``output``; rank enrolled speakers by cosine if asked to.

    A recording of another rate than the model's is resampled, and said.
    """
    if not config.known:
        raise UserError("--known: expected at least one recording of the known speaker")
    refuse_overwriting("output", config.output, [config.mixture, *config.known, config.identify])
    demixer = Demixer(config.model, device=config.device)
    vectors = [_named(path, demixer.embed_known, _read(path, demixer.fs)) for path in config.known]
    known_vector = np.mean(vectors, axis=0)
    samples = _read(config.mixture, demixer.fs)
    other = _named(config.mixture, lambda samples: demixer.demix(samples, known_vector), samples)
    enrolled = None if config.identify is None else read_embeddings(config.identify)
    if enrolled is not None and enrolled[1].shape[1] != len(other):
        raise UserError(f"{config.identify}: expected embeddings of {len(other)} numbers, found {enrolled[1].shape[1]}")
    with atomic_path(config.output) as temporary, open(temporary, "wb") as stream:
        np.save(stream, other.astype(np.float32), allow_pickle=False)
    print(f"{config.mixture}: the other speaker's embedding, {len(other)} numbers, is in {config.output}")
    if enrolled is not None:
        speakers, clean = enrolled
        cosines = cosine_similarity(other[None], clean.numpy())
        for rank, index in enumerate(np.argsort(-cosines, kind="stable")[: config.top], start=1):
            print(f"{rank}\t{speakers[index]}\t{cosines[index]:.4f}")


def _read(path: str, fs: int) -> np.ndarray:
    samples, rate = read_audio(path)
    if rate == fs:
        return samples
    print(f"{path}: resampled from {rate} Hz to the model's {fs} Hz")
    return resample(samples, rate, fs)


def _named(path: str, function, samples: np.ndarray) -> np.ndarray:
    try:
        return function(samples)
    except AudioError as error:
        raise AudioError(f"{path}: {error}") from error
