"""A trained extraction network, ready for anyone's recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.extract.calibration import Calibration
from zspex_toolkit.extract.separation import CHUNK_S, Separation, check_normalisation, separate_blocks
from zspex_toolkit.models.clue import Clue, clues_per_mixture
from zspex_toolkit.signal.chunks import cut_chunks, plan_chunks
from zspex_toolkit.signal.level import active_power
from zspex_toolkit.signal.resample import resample_blocks, resampled_length
from zspex_toolkit.train.device import keep_few_primitives, resolve_device

if TYPE_CHECKING:
    from zspex_toolkit.extract.streaming import VoiceStream
    from zspex_toolkit.tasks.extraction import ExtractorSpec

PEAK = 0.9  # of the output where --normalize_output is peak
_ENROLLMENT_S = 30.0  # a longer enrollment is taken in pieces, which bounds the memory
_GPU_BATCH = 8
_ROWS_AT_ONCE = 8  # people of whom a chunk is asked at once, which bounds the memory, too
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

    It sets ``ONEDNN_PRIMITIVE_CACHE_CAPACITY`` of the process, unless that is set: with oneDNN's own value memory grows
    with the number of different lengths of recordings.

    Raises:
        UserError: if the device is not there, or the presence score's coefficients are none.
    """

    def __init__(self, spec: ExtractorSpec, network: nn.Module, device: str = "auto"):
        self.device = resolve_device(device)
        keep_few_primitives()
        self.network = network.to(self.device)
        self.fs: int = spec.fs
        self.calibration = Calibration.of(spec.presence)
        self.batch_size = _GPU_BATCH if self.device.type == "cuda" else 1

    @classmethod
    def load(cls, model: str | PathLike | None = None, *, device: str = "auto") -> Extractor:
        """The extractor in a folder, an experiment or a packed model, or a shipped one by name; the default if None.

        Raises:
            UserError: if there is none, or it is broken, unfinished or of another version.
        """
        from zspex_toolkit.extract.packed_model import load_model  # which is heavy, and not needed to build one

        return cls(*load_model(model), device)

    def enroll(self, enrollment: Recordings, fs: int | None = None) -> Clue:
        """The clue of a speaker, one row, on the network's device; to be used for any number of mixtures.

        Args:
            enrollment: clean speech, (U,) or (U, C), or a list of such recordings, whose clues are joined.
            fs: its rate in Hz; the network's if None.

        Raises:
            AudioError: if a recording is empty, silent, too short or not finite.
            UserError: if the network takes embeddings from elsewhere.
        """
        recordings = [enrollment] if isinstance(enrollment, np.ndarray) else list(enrollment)
        if not recordings:
            raise AudioError("enrollment: expected at least one recording of the speaker, got none")
        return self.network.join([self._enroll_array(one, fs or self.fs) for one in recordings])

    def extract(
        self,
        mixture: np.ndarray,
        enrollment: Recordings | None = None,
        fs: int | None = None,
        *,
        clue: Clue | None = None,
        enrollment_fs: int | None = None,
        normalize_output: str = "mixture",
        chunk_s: float = CHUNK_S,
    ) -> np.ndarray:
        """The speaker's voice in a mixture.

        Args:
            mixture: (T,) or (T, C), in [-1, 1]; of several channels the mean is taken.
            enrollment: recordings of the speaker, as :meth:`enroll` takes them.
            fs: rate of mixture and enrollment in Hz; the network's if None.
            clue: in the place of the enrollment, one row.
            enrollment_fs: rate of the enrollment, if it is another.
            normalize_output: mixture: as loud as in the mixture, in its polarity; peak: a peak of 0.9; none: as the
                network gives it.
            chunk_s: longest part that the network sees at once, in seconds.

        Returns:
            float32 (T,), in time with the mixture.

        Raises:
            AudioError: if a recording is empty or not finite, or the enrollment silent or too short.
            ConfigError: for neither enrollment nor clue, or both.
        """
        check_normalisation(normalize_output)
        clue = self._clue(enrollment, enrollment_fs or fs, clue)
        return self.extract_all(mixture, clue, fs, normalize_output=normalize_output, chunk_s=chunk_s)[0][0]

    def extract_all(
        self,
        mixture: np.ndarray,
        clue: Clue,
        fs: int | None = None,
        *,
        normalize_output: str = "mixture",
        chunk_s: float = CHUNK_S,
    ) -> tuple[np.ndarray, list[float | None]]:
        """The voices of Q people in a mixture, and the presence of each; what the clues share is computed once.

        Args:
            clue: Q rows, such as ``Clue.cat([extractor.enroll(ann), extractor.enroll(bob)])``.
            mixture, fs, normalize_output, chunk_s: as of :meth:`extract`.

        Returns:
            float32 (Q, T), and what :meth:`presence` tells of each.
        """
        check_normalisation(normalize_output)
        fs = fs or self.fs
        samples = _checked(mixture, "mixture")
        separation = self._separate(samples, clue, fs, chunk_s)
        usual = self.calibration.usual_gain if self.calibration else None
        voices = []
        for person in range(len(clue)):
            blocks = separation.blocks(person, as_mixture=normalize_output == "mixture", usual_gain=usual)
            voice = np.concatenate(list(resample_blocks(blocks, self.fs, fs, len(samples))))[:, 0]
            peak = np.abs(voice).max()
            voices.append(voice * np.float32(PEAK / peak) if normalize_output == "peak" and peak > 0 else voice)
        return np.stack(voices), [separation.presence(self.calibration, person) for person in range(len(clue))]

    def presence(
        self,
        mixture: np.ndarray,
        enrollment: Recordings | None = None,
        fs: int | None = None,
        *,
        clue: Clue | None = None,
        enrollment_fs: int | None = None,
    ) -> float | None:
        """Probability that the speaker is in the mixture; None if the model was not calibrated for it.

        Takes what :meth:`extract` takes.
        """
        clue = self._clue(enrollment, enrollment_fs or fs, clue)
        return self._separate(_checked(mixture, "mixture"), clue, fs or self.fs, CHUNK_S).presence(self.calibration)

    def stream(
        self,
        enrollment: Recordings | None = None,
        fs: int | None = None,
        *,
        clue: Clue | None = None,
        enrollment_fs: int | None = None,
    ) -> VoiceStream:
        """The speaker's voice out of sound that is still being recorded; needs a causal network.

        Takes what :meth:`extract` takes, without the mixture, which is pushed in blocks.

        Raises:
            UserError: if the network is not causal.
        """
        from zspex_toolkit.extract.streaming import VoiceStream  # which imports this module

        return VoiceStream(self, self._clue(enrollment, enrollment_fs or fs, clue), fs)

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
    def enroll_blocks(self, blocks: Iterable[np.ndarray], num_samples: int) -> Clue:
        """The clue, one row, of an enrollment of any length.

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
        clues, weights, energy = [], [], 0.0
        for piece in cut_chunks(blocks, pieces):
            energy += float(np.square(piece, dtype=np.float64).sum())
            if len(piece) >= shortest:
                clues.append(self.network.clue(self._tensor(piece[:, 0])[None]))
                weights.append(len(piece))
        if not energy > 1e-12 * num_samples:
            raise AudioError("silent: no speech to know the speaker by")
        return self.network.join(clues, weights)

    def separate(self, mixtures: np.ndarray, clue: Clue) -> tuple[np.ndarray, np.ndarray]:
        """:meth:`estimate` of M mixtures for R clues, and the :meth:`likeness` of it; few people at a time."""
        size = max(1, _ROWS_AT_ONCE // len(mixtures)) * len(mixtures)
        parts = [clue[first : first + size] for first in range(0, len(clue), size)]
        estimates = [self.estimate(mixtures, part) for part in parts]
        likeness = [self.likeness(mixtures, *pair) for pair in zip(estimates, parts, strict=True)]
        return np.concatenate(estimates), np.concatenate(likeness)

    @torch.inference_mode()
    def estimate(self, mixtures: np.ndarray, clue: Clue) -> np.ndarray:
        """What the network gives for mixtures of one length, at its own level and polarity, but without mean.

        Args:
            mixtures: (M, T) at ``self.fs``.
            clue: R rows; row r asks of mixture r % M.

        Returns:
            (R, T).

        Raises:
            UserError: if the device has not enough memory, or the network gives what is no number.
        """
        mixture = self._tensor(mixtures)
        with self._explained_memory(mixtures):
            estimate = self.network.extract(mixture, clue.to(self.device)).float()
            if not torch.isfinite(estimate).all():
                raise UserError("the network gives NaN or infinity: its weights are broken, or the level is absurd")
            estimate = estimate - estimate.mean(1, keepdim=True)  # SI-SDR leaves the mean free
            return (estimate * _for_each(mixture, clue).any(1, keepdim=True)).cpu().numpy()

    @torch.inference_mode()
    def likeness(self, mixtures: np.ndarray, estimates: np.ndarray, clue: Clue) -> np.ndarray:
        """How much the network finds its output like the speakers of the clues, (R,); NaN for silence, or unknown."""
        mixture, estimate = _for_each(self._tensor(mixtures), clue), self._tensor(estimates)
        energy = estimate.square().sum(1)
        gain = (mixture * estimate).sum(1) / energy.clamp_min(1e-20)
        with self._explained_memory(mixtures):
            like = self.network.likeness(gain[:, None] * estimate, clue.to(self.device)).float()
            return torch.where(energy > 0, like, torch.nan).cpu().numpy()

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

    def _clue(self, enrollment: Recordings | None, fs: int | None, clue: Clue | None) -> Clue:
        if (enrollment is None) == (clue is None):
            raise ConfigError("expected an enrollment or a clue, and not both")
        if clue is None:
            return self.enroll(enrollment, fs)
        if len(clue) != 1:
            raise ConfigError(f"clue: expected that of one speaker, got {len(clue)}; extract_all takes several")
        return clue

    def _enroll_array(self, recording: np.ndarray, fs: int) -> Clue:
        samples = _checked(recording, "enrollment")
        num_samples = resampled_length(len(samples), fs, self.fs)
        samples = samples * np.float32(self.input_gain([samples], fs))
        try:
            return self.enroll_blocks(resample_blocks([samples], fs, self.fs, num_samples), num_samples)
        except AudioError as error:
            raise AudioError(f"enrollment: {error}") from error

    def _separate(self, samples: np.ndarray, clue: Clue, fs: int, chunk_s: float) -> Separation:
        num_samples = resampled_length(len(samples), fs, self.fs)
        blocks = resample_blocks([samples], fs, self.fs, num_samples)
        gain = self.input_gain([samples], fs)
        return separate_blocks(self, blocks, num_samples, clue, [], chunk_s=chunk_s, input_gain=gain)


def _for_each(mixture: Tensor, clue: Clue) -> Tensor:
    """Mixtures (M, T) once for each of R clues, (R, T)."""
    return mixture.repeat(clues_per_mixture(clue, mixture), 1)


def _checked(samples: np.ndarray, name: str) -> np.ndarray:
    """(T, 1) float32, the mean of all channels, without DC offset."""
    samples = np.asarray(samples, np.float32)
    if samples.ndim not in (1, 2) or not samples.size:
        raise AudioError(f"{name}: expected samples of shape (T,) or (T, C), got {samples.shape}")
    if not np.isfinite(samples).all():
        raise AudioError(f"{name}: holds NaN or infinity")
    mono = samples.reshape(len(samples), -1).mean(axis=1, dtype=np.float64, keepdims=True)
    return (mono - mono.mean()).astype(np.float32)
