"""Target speaker extraction and speaker embedding de-mixing, as Kaldi-style recipes."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["Extractor", "__version__"]


def __getattr__(name: str) -> Any:
    """``zspex_toolkit.Extractor``, imported when asked for: torch takes seconds that many commands do not need."""
    if name == "Extractor":
        from zspex_toolkit.extract.extractor import Extractor

        return Extractor
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
