"""The audio behind a plan: a data directory of speech, folders of noises and rooms."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.simulation.activity import active_samples
from zspex_toolkit.simulation.mixture_plan import MixturePlan
from zspex_toolkit.simulation.recordings import Recordings
from zspex_toolkit.simulation.render import Rendered, render

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

    def render(self, plan: MixturePlan) -> Rendered:
        """Read what ``plan`` asks for and render it; gains that it lacks are set.

        Raises:
            AudioError: if a file is missing, broken or of another rate than the plan's.
            DataDirError: if the directories do not have what the plan names, or its audio has changed.
            SilentSignalError: as :func:`~zspex_toolkit.simulation.levels.set_levels` does.
        """
        waveforms = [self.read(source.utt, plan.fs) for source in plan.sources]
        named = {source.room for source in plan.sources if source.room is not None}
        if plan.noise and self.noises is None:
            raise DataDirError(f"mixture {plan.id} has noise {plan.noise.id}, but no --noise_dir is given")
        if named and self.rooms is None:
            raise DataDirError(f"mixture {plan.id} has room {min(named)}, but no --room_dir is given")
        rooms = {room: self.rooms.read(room, plan.fs) for room in sorted(named)}
        noise = self.noises.read(plan.noise.id, plan.fs) if plan.noise else None
        masks = None
        if self.voiced is not None and plan.gain is None:
            masks = [
                self.mask(source.utt, len(wave), plan.fs) for source, wave in zip(plan.sources, waveforms, strict=True)
            ]
        return render(plan, waveforms, noise=noise, rooms=rooms, active=masks)

    def read(self, utt: str, fs: int | None = None) -> np.ndarray:
        """Samples of one utterance, (N,)."""
        return self.utterances.read_audio(utt, fs)[0]

    def mask(self, utt: str, num_samples: int, fs: int) -> np.ndarray:
        """Bool (N,): the samples of the utterance's voiced frames.

        Raises:
            DataDirError: if ``vad.scp`` does not have the utterance.
        """
        if utt not in self.voiced:
            raise DataDirError(f"{self.utterances.path}/vad.scp: no line for '{utt}'")
        return active_samples(self.voiced[utt], num_samples, round(FRAME_SHIFT_S * fs))
