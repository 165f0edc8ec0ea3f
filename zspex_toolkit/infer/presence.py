"""Probability that the enrolled speaker is in a mixture at all, from what the network made of it.

Two numbers tell: the energy of the network's output over that of the mixture, in dB, and the cosine between the
embedding of the enrollment and the network's own embedding of its output. A logistic function joins them; its
coefficients are fitted to trials of which it is known (``calibrate_presence``) and stand in ``model.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from zspex_toolkit.errors import UserError

QUIETEST_DB = -80.0
THRESHOLD = 0.5


@dataclass(frozen=True)
class PresenceModel:
    """Coefficients of the logistic function, and the network's usual gain.

    Attributes:
        bias: of the log odds.
        energy_db: their change per dB of output energy.
        cosine: their change per unit of cosine.
        usual_gain: what the network's output is usually multiplied by to be as loud as the target in the mixture.
    """

    bias: float
    energy_db: float
    cosine: float
    usual_gain: float

    @classmethod
    def of(cls, stored: Mapping[str, float] | None, where: object = "model.yaml") -> PresenceModel | None:
        """The coefficients as :meth:`stored` gave them; None where a model was not calibrated.

        Raises:
            UserError: if one is missing, unknown or no finite number, or the gain is not positive.
        """
        if stored is None:
            return None
        names = set(cls.__dataclass_fields__)
        numbers = [value for value in stored.values() if isinstance(value, (int, float)) and np.isfinite(value)]
        if set(stored) != names or len(numbers) != len(names) or not stored["usual_gain"] > 0:
            raise UserError(
                f"{where}: presence: expected numbers for {', '.join(sorted(names))}, found {dict(stored)}; "
                "calibrate_presence writes them"
            )
        return cls(**{name: float(value) for name, value in stored.items()})

    def stored(self) -> dict[str, float]:
        """As it stands in ``model.yaml``."""
        return asdict(self)

    def probability(self, energy_db: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        """Probability of presence, elementwise; NaN where the cosine is NaN.

        >>> float(PresenceModel(0.0, 0.5, 2.0, 1.0).probability(np.array(-2.0), np.array(0.5)))
        0.5
        """
        odds = self.bias + self.energy_db * np.asarray(energy_db) + self.cosine * np.asarray(cosine)
        return 1 / (1 + np.exp(-np.clip(odds, -50, 50)))


def energy_db(estimate: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Energy over energy in dB, between -80 and 80; -80 for silence.

    >>> energy_db(np.array([1.0, 0.0]), np.array([100.0, 1.0]))
    array([-20., -80.])
    """
    ratio = np.asarray(estimate, np.float64) / np.maximum(mixture, 1e-20)
    return np.clip(10 * np.log10(np.maximum(ratio, 10 ** (QUIETEST_DB / 10))), QUIETEST_DB, -QUIETEST_DB)
