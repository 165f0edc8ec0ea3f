"""The time of a training: how much of it is over, and how many steps there will be in all."""

from __future__ import annotations

import time

from zspex_toolkit.train.processes import ALONE, Processes
from zspex_toolkit.train.progress import Progress


class Clock:
    """Seconds that a training with a limit has taken, validations included, in all its sittings.

    All its processes go by the clock of the main one. What the others read would differ a little, and with it the
    learning rate.

    Args:
        minutes: after which the training ends; 0 for never.
        progress: of the training; ``seconds`` and ``seconds_to_finish`` are kept there.
        processes: of the training.
        minutes_of: ``clock``, or ``processor``: the time that processors spend on the main process, which is the same
            whatever else they do.
    """

    def __init__(self, minutes: float, progress: Progress, processes: Processes = ALONE, minutes_of: str = "clock"):
        self._now = time.process_time if minutes_of == "processor" else time.monotonic
        self._limit, self._progress, self._processes = 60 * minutes, progress, processes
        self._began = self._now() - progress.seconds

    def tick(self, *more: object) -> list[tuple]:
        """Note the time; all processes call this at the same place.

        Returns:
            ``more`` of each process: what they have to tell one another then, in the same message.
        """
        told = self._processes.gather((self._now() - self._began, *more))
        if self._limit:  # else checkpoints would differ from run to run
            self._progress.seconds = told[0][0]
        return [words for _, *words in told]

    def is_over(self) -> bool:
        """Whether it is time for the last validation, if it takes as long as the one before it."""
        return bool(self._limit) and self._progress.seconds >= self._time_to_train()

    def num_steps(self, step: int, planned: int) -> int:
        """Steps of the whole training, if it goes on at its present speed: what a schedule is to count with.

        Args:
            step: steps done so far.
            planned: steps of all epochs; the epochs may be over before the time is.
        """
        share = self._progress.seconds / max(self._time_to_train(), 1e-9) if self._limit else 0.0
        return min(planned, max(step + 1, round(step / share))) if step and share else planned

    def _time_to_train(self) -> float:
        return self._limit - self._progress.seconds_to_finish
