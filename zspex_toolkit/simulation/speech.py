"""The audio behind a plan: a data directory of speech, folders of noises and rooms."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.simulation.activity import active_samples
from zspex_toolkit.simulation.plan import Enrollment, Noise, Passage, Plan
from zspex_toolkit.simulation.recordings import Recordings
from zspex_toolkit.simulation.render import Rendered, Signals, render, render_enrollment

FRAME_SHIFT_S = 0.01  # of the decisions in vad.scp


@dataclass(frozen=True)
class Speech:
    """What mixtures are made of.

    Attributes:
        utterances: data directory of the speakers.
        noises: recordings of noise.
        rooms: impulse responses.
        voiced: decisions per frame, by utterance; levels are measured over voiced samples alone where given.
    """

    utterances: DataDir
    noises: Recordings | None = None
    rooms: Recordings | None = None
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
        noises, rooms = (Recordings(folder) if folder is not None else None for folder in (noise_dir, room_dir))
        return cls(utterances, noises, rooms, utterances.feature_table("vad.scp") if active_level else None)

    def render(self, plan: Plan) -> Rendered:
        """Read what ``plan`` asks for and render it; gains that it lacks are set.

        Raises:
            AudioError: if a file is missing, broken or of another rate than the plan's.
            DataDirError: if the directories do not have what the plan names.
            ValueError: if audio is shorter than the plan says.
            SilentSignalError: as :func:`~zspex_toolkit.simulation.levels.set_levels` does.
        """
        return render(
            plan,
            partial(self.read, fs=plan.fs),
            **self._around(f"mixture {plan.id}", plan.sources, plan.noise, plan.fs),
            voiced=None if self.voiced is None else partial(self._voiced, fs=plan.fs),
        )

    def enroll(self, enrollment: Enrollment, fs: int) -> np.ndarray:
        """The samples of an enrollment, (U,).

        Raises:
            AudioError, DataDirError, ValueError, SilentSignalError: as :meth:`render`.
        """
        passage = enrollment.passage
        name = f"enrollment {', '.join(passage.utterances)}"
        around = self._around(name, (passage,), enrollment.noise, fs)
        return render_enrollment(enrollment, partial(self.read, fs=fs), **around)

    def surroundings(self, fs: int) -> dict[str, Any]:
        """Rate, rooms and lengths of the noises: what a draw has to know of all this."""
        return {
            "fs": fs,
            "rooms": self.rooms.names if self.rooms else (),
            "noises": self.noises.lengths(fs) if self.noises else {},
        }

    def read(self, utt: str, start: int = 0, stop: int | None = None, *, fs: int | None = None) -> np.ndarray:
        """Samples of one utterance, (N,)."""
        return self.utterances.read_audio(utt, fs)[0][start:stop]

    def mask(self, utt: str, num_samples: int, fs: int) -> np.ndarray:
        """Bool (N,): the samples of the utterance's voiced frames.

        Raises:
            DataDirError: if ``vad.scp`` does not have the utterance.
        """
        if utt not in self.voiced:
            raise DataDirError(f"{self.utterances.path}/vad.scp: no line for '{utt}'")
        return active_samples(self.voiced[utt], num_samples, round(FRAME_SHIFT_S * fs))

    def _voiced(self, utt: str, start: int, stop: int | None, *, fs: int) -> np.ndarray:
        stop = len(self.read(utt, fs=fs)) if stop is None else stop
        return self.mask(utt, stop, fs)[start:]

    def _around(self, what: str, passages: Sequence[Passage], noise: Noise | None, fs: int) -> dict[str, Signals]:
        """The rooms and noises that a signal needs, by name."""
        rooms = sorted({passage.room for passage in passages if passage.room is not None})
        if rooms and self.rooms is None:
            raise DataDirError(f"{what} has room {rooms[0]}, but no --room_dir is given")
        if noise and self.noises is None:
            raise DataDirError(f"{what} has noise {noise.id}, but no --noise_dir is given")
        return {
            "rooms": {room: self.rooms.read(room, fs) for room in rooms},
            "noises": {noise.id: self.noises.read(noise.id, fs)} if noise else {},
        }
