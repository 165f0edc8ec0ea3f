"""What a trained extractor has to know of itself: who counts as present, how loud its output is, what levels it heard.

Two numbers tell whether the enrolled speaker is in a mixture at all: the energy of the network's output over that of
the mixture, in dB, and how much the network finds its output like the clue, such as the cosine of their embeddings,
where it can tell. A logistic function joins them. Its coefficients, and the rest, are found on trials of which all is
known (``calibrate_presence``) and stand in ``model.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from zspex_toolkit.errors import UserError

QUIETEST_DB = -80.0
THRESHOLD = 0.5


@dataclass(frozen=True)
class Calibration:
    """The presence score's logistic function, the network's usual gain, and the levels that it knows.

    Attributes:
        bias: of the log odds of presence.
        energy_db: their change per dB of output energy.
        cosine: their change per unit of cosine.
        usual_gain: what the network's output is usually multiplied by to be as loud as the target in the mixture.
        quietest_db, loudest_db: range of the levels of mixtures and enrollments that it works on, in dB re full scale.
    """

    bias: float
    energy_db: float
    cosine: float
    usual_gain: float
    quietest_db: float
    loudest_db: float

    @classmethod
    def of(cls, stored: Mapping[str, float] | None, where: object = "model.yaml") -> Calibration | None:
        """The coefficients as :meth:`stored` gave them; None where a model was not calibrated.

        Raises:
            UserError: if one is missing, unknown or no finite number, or the gain is not positive.
        """
        if stored is None:
            return None
        names = set(cls.__dataclass_fields__)
        numbers = [value for value in stored.values() if isinstance(value, (int, float)) and np.isfinite(value)]
        whole = set(stored) == names and len(numbers) == len(names)
        if not whole or not stored["usual_gain"] > 0 or stored["quietest_db"] > stored["loudest_db"]:
            raise UserError(
                f"{where}: presence: expected numbers for {', '.join(sorted(names))}, found {dict(stored)}; "
                "calibrate_presence writes them"
            )
        return cls(**{name: float(value) for name, value in stored.items()})

    def stored(self) -> dict[str, float]:
        """As it stands in ``model.yaml``."""
        return asdict(self)

    def input_gain(self, power: float) -> float:
        """What brings a recording of this power, see :func:`~zspex_toolkit.signal.level.active_power`, into the range.

        Networks are trained on a range of levels, and have biases that are as large for quiet speech as for loud.
        """
        if not power > 0:
            return 1.0
        level_db = 10 * np.log10(power)
        return float(10 ** ((np.clip(level_db, self.quietest_db, self.loudest_db) - level_db) / 20))

    def probability(self, energy_db: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        """Probability of presence, elementwise; NaN where the cosine counts and is NaN.

        >>> float(Calibration(0.0, 0.5, 2.0, 1.0, -40.0, -20.0).probability(np.array(-2.0), np.array(0.5)))
        0.5
        """
        cosine = cosine if self.cosine else 0.0  # a network that cannot tell who speaks is calibrated without
        odds = self.bias + self.energy_db * np.asarray(energy_db) + self.cosine * np.asarray(cosine)
        return 1 / (1 + np.exp(-np.clip(odds, -50, 50)))


def energy_db(estimate: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Energy over energy in dB, between -80 and 80; -80 for silence.

    >>> energy_db(np.array([1.0, 0.0]), np.array([100.0, 1.0]))
    array([-20., -80.])
    """
    ratio = np.asarray(estimate, np.float64) / np.maximum(mixture, 1e-20)
    return np.clip(10 * np.log10(np.maximum(ratio, 10 ** (QUIETEST_DB / 10))), QUIETEST_DB, -QUIETEST_DB)
