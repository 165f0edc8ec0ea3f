"""Target speaker extraction and speaker embedding de-mixing, as Kaldi-style recipes.

``__all__`` names what a script may use; docs/python.md has an example of each.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
# Where each public name is defined. They are imported when asked for: many commands do without torch.
_WHERE = {
    "DataDir": "io.data_dir",
    "Demixer": "extract.demix",
    "Extractor": "extract.extractor",
    "Plan": "simulation.plan",
    "bootstrap_interval": "metrics.bootstrap_interval",
    "equal_error_rate": "metrics.equal_error_rate",
    "read_plans": "simulation.plan",
    "read_trials": "simulation.plan",
    "si_sdr": "metrics.speech.si_sdr",
}
__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    """A public name, imported now."""
    if name not in _WHERE:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
