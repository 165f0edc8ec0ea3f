"""Target speaker extraction and speaker embedding de-mixing, as Kaldi-style recipes."""

__version__ = "0.1.0"
