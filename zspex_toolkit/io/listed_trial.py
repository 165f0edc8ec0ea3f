"""One line of a trial directory: a mixture, the speaker asked for, and the recordings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListedTrial:
    """One (mixture, enrolled speaker).

    Attributes:
        id: of the trial; begins with the target speaker.
        mixture_id: of the mixture, which the trials of all its speakers share.
        target, interferer: speakers; no interferer where the target speaks alone, or it is not known.
        mixture, reference, interferer_reference, enrollment, noise: recordings, as they stand in ``wav.scp``.
        more_interferers: recordings of whoever else speaks, in mixtures of more than two.
        enrolls_with_target: whether the enrollment is the target utterance; None where the directory does not say.
        num_samples: of the mixture, where it is known.
        condition: present, absent (the enrolled speaker is not in the mixture) or single (and is alone in it).
        target_gender, interferer_gender: female, male or None.
    """

    id: str
    mixture_id: str
    target: str
    interferer: str | None
    mixture: str
    reference: str
    interferer_reference: str | None
    enrollment: str
    enrolls_with_target: bool | None
    noise: str | None = None
    more_interferers: tuple[str, ...] = ()
    num_samples: int | None = None
    condition: str = "present"
    target_gender: str | None = None
    interferer_gender: str | None = None

    @property
    def pair(self) -> str:
        """Genders of the two speakers: different, female, male or unknown."""
        genders = {self.target_gender, self.interferer_gender}
        if None in genders:
            return "unknown"
        return "different" if len(genders) == 2 else genders.pop()
