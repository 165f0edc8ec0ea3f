"""A trained extraction network, ready for anyone's recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from zspex_toolkit.errors import AudioError, UserError
from zspex_toolkit.infer.calibration import Calibration
from zspex_toolkit.infer.separation import CHUNK_S, Separation, check_normalisation, separate_blocks
from zspex_toolkit.signal.chunks import cut_chunks, plan_chunks
from zspex_toolkit.signal.level import active_power
from zspex_toolkit.signal.resample import resample_blocks
from zspex_toolkit.train.device import resolve_device

if TYPE_CHECKING:
    from zspex_toolkit.tasks.extraction import ExtractorSpec

PEAK = 0.9  # of the output where --normalize_output is peak
_ENROLLMENT_S = 30.0  # a longer enrollment is embedded in pieces, which bounds the memory
_GPU_BATCH = 8
LEVEL_FRAME_S = 0.1
Recordings = np.ndarray | Sequence[np.ndarray]


class Extractor:
    """Extracts one speaker from mixtures, given enrollment recordings of that speaker.

    >>> extractor = Extractor.load("exp/tse/zspex")                     # doctest: +SKIP
    >>> voice = extractor.extract(mixture, enrollment, fs=16000)        # doctest: +SKIP

    Args:
        spec: what the network is.
        network: an extractor of ``models/extractors``, in evaluation mode.
        device: auto, cpu or cuda:N.

    Raises:
        UserError: if the device is not there, or the presence score's coefficients are none.
    """

    def __init__(self, spec: ExtractorSpec, network: nn.Module, device: str = "auto"):
        self.device = resolve_device(device)
        self.network = network.to(self.device)
        self.fs: int = spec.fs
        self.calibration = Calibration.of(spec.presence)
        self.batch_size = _GPU_BATCH if self.device.type == "cuda" else 1

    @classmethod
    def load(cls, model: str | PathLike | None = None, *, device: str = "auto") -> Extractor:
        """The extractor in a folder: a trained experiment or a packed model; the one shipped here if None.

        Raises:
            UserError: if there is none, or it is broken, unfinished or of another version.
        """
        from zspex_toolkit.infer.packed_model import load_model  # which is heavy, and not needed to build one

        return cls(*load_model(model), device)

    def embed(self, enrollment: Recordings, fs: int) -> np.ndarray:
        """Embedding (D,) of a speaker; that of several recordings is their mean.

        Args:
            enrollment: clean speech, (U,) or (U, C), or a list of such recordings.
            fs: its rate in Hz.

        Raises:
            AudioError: if a recording is empty, silent, too short or not finite.
        """
        recordings = [enrollment] if isinstance(enrollment, np.ndarray) else list(enrollment)
        if not recordings:
            raise AudioError("enrollment: expected at least one recording of the speaker, got none")
        return np.mean([self._embed_array(one, fs) for one in recordings], axis=0)

    def extract(
        self,
        mixture: np.ndarray,
        enrollment: Recordings,
        fs: int,
        *,
        enrollment_fs: int | None = None,
        normalize_output: str = "mixture",
        chunk_s: float = CHUNK_S,
    ) -> np.ndarray:
        """The speaker's voice in a mixture.

        Args:
            mixture: (T,) or (T, C), in [-1, 1]; of several channels the mean is taken.
            enrollment: recordings of the speaker, as :meth:`embed` takes them.
            fs: rate of mixture and enrollment in Hz.
            enrollment_fs: rate of the enrollment, if it is another.
            normalize_output: mixture: as loud as in the mixture, in its polarity; peak: a peak of 0.9; none: as the
                network gives it.
            chunk_s: longest part that the network sees at once, in seconds.

        Returns:
            float32 (T,), in time with the mixture.

        Raises:
            AudioError: if a recording is empty or not finite, or the enrollment silent or too short.
        """
        check_normalisation(normalize_output)
        samples = _checked(mixture, "mixture")
        separation = self._separate(samples, enrollment, fs, enrollment_fs, chunk_s)
        gain = self.calibration.usual_gain if self.calibration else None
        blocks = separation.blocks(as_mixture=normalize_output == "mixture", usual_gain=gain)
        voice = np.concatenate(list(resample_blocks(blocks, self.fs, fs, len(samples))))[:, 0]
        peak = np.abs(voice).max()
        return voice * np.float32(PEAK / peak) if normalize_output == "peak" and peak > 0 else voice

    def presence(
        self, mixture: np.ndarray, enrollment: Recordings, fs: int, *, enrollment_fs: int | None = None
    ) -> float | None:
        """Probability that the speaker is in the mixture; None if the model was not calibrated for it.

        Takes what :meth:`extract` takes.
        """
        separation = self._separate(_checked(mixture, "mixture"), enrollment, fs, enrollment_fs, CHUNK_S)
        return separation.presence(self.calibration)

    def input_gain(self, blocks: Iterable[np.ndarray], fs: int) -> float:
        """What brings a recording into the range of levels that the network knows; 1 where that was not calibrated.

        Args:
            blocks: (n, C), without DC offset.
            fs: their rate in Hz.
        """
        if self.calibration is None:
            return 1.0
        return self.calibration.input_gain(active_power(blocks, round(LEVEL_FRAME_S * fs)))

    @torch.inference_mode()
    def embed_blocks(self, blocks: Iterable[np.ndarray], num_samples: int) -> np.ndarray:
        """Embedding (D,) of an enrollment of any length.

        Args:
            blocks: (n, 1) at ``self.fs``, without DC offset, times :meth:`input_gain`.
            num_samples: of all of them.

        Raises:
            AudioError: if it is silent or too short.
        """
        shortest = self.network.min_enrollment_samples
        if num_samples < shortest:
            raise AudioError(
                f"too short for an enrollment: expected at least {1000 * shortest / self.fs:.0f} ms, "
                f"found {1000 * num_samples / self.fs:.0f} ms; a few seconds of clean speech serve best"
            )
        pieces = plan_chunks(num_samples, max(round(_ENROLLMENT_S * self.fs), 2 * shortest), 0)
        total, weight, energy = 0.0, 0, 0.0
        for piece in cut_chunks(blocks, pieces):
            energy += float(np.square(piece, dtype=np.float64).sum())
            if len(piece) >= shortest:
                vector = self.network.embed(torch.from_numpy(piece[:, 0].copy())[None].to(self.device))[0]
                total, weight = total + len(piece) * vector.double().cpu().numpy(), weight + len(piece)
        if not energy > 1e-12 * num_samples:
            raise AudioError("silent: no speech to know the speaker by")
        return (total / weight).astype(np.float32)

    def separate(self, mixtures: np.ndarray, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """:meth:`estimate` of mixtures, and :meth:`cosines` of it."""
        estimates = self.estimate(mixtures, embeddings)
        return estimates, self.cosines(mixtures, estimates, embeddings)

    @torch.inference_mode()
    def estimate(self, mixtures: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
        """What the network gives for mixtures of one length, at its own level and polarity, but without mean.

        Args:
            mixtures: (B, T) at ``self.fs``.
            embeddings: (B, D).

        Returns:
            (B, T).

        Raises:
            UserError: if the device has not enough memory, or the network gives what is no number.
        """
        mixture = self._tensor(mixtures)
        with self._explained_memory(mixtures):
            estimate = self.network.extract(mixture, self._tensor(embeddings)).float()
            if not torch.isfinite(estimate).all():
                raise UserError("the network gives NaN or infinity: its weights are broken, or the level is absurd")
            estimate = estimate - estimate.mean(1, keepdim=True)  # SI-SDR leaves the mean free
            return (estimate * mixture.any(1, keepdim=True)).cpu().numpy()

    @torch.inference_mode()
    def cosines(self, mixtures: np.ndarray, estimates: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
        """Cosines (B,) between the network's embeddings of its output and those given; NaN where there is none.

        An output that is silent or shorter than the shortest enrollment has no embedding.
        """
        mixture, estimate = self._tensor(mixtures), self._tensor(estimates)
        energy = estimate.square().sum(1)
        if estimate.shape[1] < self.network.min_enrollment_samples:
            return np.full(len(estimates), np.nan, np.float32)
        gain = (mixture * estimate).sum(1) / energy.clamp_min(1e-20)
        with self._explained_memory(mixtures):
            embedding = self.network.embed(gain[:, None] * estimate)
            cosine = nn.functional.cosine_similarity(embedding, self._tensor(embeddings))
            return torch.where(energy > 0, cosine, torch.nan).cpu().numpy()

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self.device)

    @contextmanager
    def _explained_memory(self, mixtures: np.ndarray) -> Iterator[None]:
        try:
            yield
        except torch.cuda.OutOfMemoryError as error:
            raise UserError(
                f"{self.device}: not enough memory for {len(mixtures)} x {mixtures.shape[1] / self.fs:.1f} s; "
                "take a shorter chunk_s, a smaller batch_size or the CPU"
            ) from error

    def _embed_array(self, recording: np.ndarray, fs: int) -> np.ndarray:
        samples = _checked(recording, "enrollment")
        num_samples = resampled_length(len(samples), fs, self.fs)
        samples = samples * np.float32(self.input_gain([samples], fs))
        try:
            return self.embed_blocks(resample_blocks([samples], fs, self.fs, num_samples), num_samples)
        except AudioError as error:
            raise AudioError(f"enrollment: {error}") from error

    def _separate(
        self, samples: np.ndarray, enrollment, fs: int, enrollment_fs: int | None, chunk_s: float
    ) -> Separation:
        embedding = self.embed(enrollment, enrollment_fs or fs)
        num_samples = resampled_length(len(samples), fs, self.fs)
        blocks = resample_blocks([samples], fs, self.fs, num_samples)
        gain = self.input_gain([samples], fs)
        return separate_blocks(self, blocks, num_samples, embedding, [], chunk_s=chunk_s, input_gain=gain)


def resampled_length(num_samples: int, fs_in: int, fs_out: int) -> int:
    """Samples at ``fs_out`` that cover ``num_samples`` at ``fs_in``.

    >>> resampled_length(11, 44100, 8000)
    2
    """
    return -(-num_samples * fs_out // fs_in)


def _checked(samples: np.ndarray, name: str) -> np.ndarray:
    """(T, 1) float32, the mean of all channels, without DC offset."""
    samples = np.asarray(samples, np.float32)
    if samples.ndim not in (1, 2) or not samples.size:
        raise AudioError(f"{name}: expected samples of shape (T,) or (T, C), got {samples.shape}")
    if not np.isfinite(samples).all():
        raise AudioError(f"{name}: holds NaN or infinity")
    mono = samples.reshape(len(samples), -1).mean(axis=1, dtype=np.float64, keepdims=True)
    return (mono - mono.mean()).astype(np.float32)
