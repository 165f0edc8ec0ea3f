"""The audio behind a plan: a data directory of speech, folders of noises and rooms."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.source_mark import digest_of_sources
from zspex_toolkit.simulation.plan import Enrollment, Noise, Passage, Plan
from zspex_toolkit.simulation.recordings import Recordings
from zspex_toolkit.simulation.render import Rendered, render, render_enrollment

FRAME_SHIFT_S = 0.01  # of the decisions in vad.scp


@dataclass(frozen=True)
class Speech:
    """What mixtures are made of.

    Attributes:
        utterances: data directory of the speakers.
        fs: rate of its first utterance in Hz.
        noises: recordings of noise.
        rooms: impulse responses.
        voiced: decisions per frame, by utterance; levels are measured over voiced samples alone where given.
    """

    utterances: DataDir
    fs: int
    noises: Recordings
    rooms: Recordings
    voiced: Mapping[str, np.ndarray] | None = None

    @classmethod
    def load(
        cls,
        data: os.PathLike | str,
        noise_dir: os.PathLike | str | None = None,
        room_dir: os.PathLike | str | None = None,
        *,
        active_level: bool = False,
    ) -> Speech:
        """Open data directory and folders; with ``active_level``, ``data`` needs ``vad.scp``.

        Raises:
            DataDirError: if the data directory is missing or malformed.
            ConfigError: if a folder holds no recordings.
        """
        utterances = DataDir.load(data)
        if active_level and not (utterances.path / "vad.scp").is_file():
            raise DataDirError(f"{utterances.path}/vad.scp: no such file, but --level active needs it; run compute_vad")
        _, fs = utterances.read_audio(utterances.utterances[0])
        noises, rooms = (Recordings(folder, fs) for folder in (noise_dir, room_dir))
        return cls(utterances, fs, noises, rooms, utterances.feature_table("vad.scp") if active_level else None)

    def render(self, plan: Plan) -> Rendered:
        """Read what ``plan`` asks for and render it; gains that it lacks are set.

        Raises:
            AudioError: if a file is missing, broken or of another rate.
            DataDirError: if the directories do not have what the plan names, or are of another rate.
            ValueError: if audio is shorter than the plan says.
            SilentSignalError: as :func:`~zspex_toolkit.simulation.levels.set_levels` does.
        """
        around = self._around(f"mixture {plan.id}", plan.sources, plan.noise)
        if plan.fs != self.fs:
            raise DataDirError(f"mixture {plan.id}: is of {plan.fs} Hz, but {self.utterances.path} of {self.fs} Hz")
        return render(plan, self.read, **around, voiced=None if self.voiced is None else self._voiced)

    def enroll(self, enrollment: Enrollment) -> np.ndarray:
        """The samples of an enrollment, (U,).

        Raises:
            AudioError, DataDirError, ValueError, SilentSignalError: as :meth:`render`.
        """
        passage = enrollment.passage
        around = self._around(f"enrollment {', '.join(passage.utterances)}", (passage,), enrollment.noise)
        return render_enrollment(enrollment, self.read, **around)

    def digest(self, passages: Sequence[Passage], noise: Noise | None) -> str:
        """One mark of all recordings that a signal is made of: their names, sizes and times."""
        utts = [piece.utt for passage in passages for piece in passage.pieces]
        parts = [str(self.utterances.segments.get(utt)) for utt in utts if self.utterances.segments is not None]
        rooms = [self.rooms.path(passage.room) for passage in passages if passage.room is not None]
        noises = [] if noise is None else [self.noises.path(noise.id)]
        return digest_of_sources([*map(self.utterances.source, utts), *parts, *rooms, *noises])

    def surroundings(self) -> dict[str, Any]:
        """Rate, rooms and lengths of the noises: what a draw has to know of all this."""
        return {"fs": self.fs, "rooms": tuple(self.rooms), "noises": self.noises.num_samples}

    def read(self, utt: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Samples ``start`` to ``stop`` of one utterance, (N,)."""
        return self.utterances.read_audio(utt, self.fs)[0][start:stop]

    def mask(self, utt: str, num_samples: int) -> np.ndarray:
        """Bool (N,): the samples of the utterance's voiced frames.

        Raises:
            DataDirError: if ``vad.scp`` does not have the utterance.
        """
        if utt not in self.voiced:
            raise DataDirError(f"{self.utterances.path}/vad.scp: no line for '{utt}'")
        return active_samples(self.voiced[utt], num_samples, round(FRAME_SHIFT_S * self.fs))

    def _voiced(self, utt: str, start: int, stop: int | None) -> np.ndarray:
        return self.mask(utt, len(self.read(utt)) if stop is None else stop)[start:]

    def _around(self, what: str, passages: Sequence[Passage], noise: Noise | None) -> dict[str, Recordings]:
        """The rooms and noises, which have to hold those that a signal needs."""
        named = [("room", passage.room, self.rooms) for passage in passages if passage.room is not None]
        named += [("noise", noise.id, self.noises)] if noise else []
        for kind, name, recordings in named:
            if name not in recordings:
                raise DataDirError(f"{what} has {kind} {name}, but there is none in --{kind}_dir")
        return {"rooms": self.rooms, "noises": self.noises}


def active_samples(voiced: np.ndarray, num_samples: int, frame_shift: int) -> np.ndarray:
    """Bool (T,): each frame's decision (L,) holds for its ``frame_shift`` samples, the last one's to the end.

    Raises:
        ValueError: if there is no frame.

    >>> active_samples(np.array([0.0, 1.0]), 5, 2).astype(int).tolist()
    [0, 0, 1, 1, 1]
    """
    if not len(voiced):
        raise ValueError("no voice activity decisions")
    frames = np.minimum(np.arange(num_samples) // frame_shift, len(voiced) - 1)
    return np.asarray(voiced)[frames] > 0.5
