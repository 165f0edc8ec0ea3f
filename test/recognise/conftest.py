import pytest
from support.fixtures import speech_dir  # noqa: F401
from support.tone_recogniser import train_tones


@pytest.fixture(scope="session")
def tones(tmp_path_factory):
    """A recogniser of tones that has learnt them, in ``exp``; ``data/train`` and ``data/test``."""
    return train_tones(tmp_path_factory.mktemp("tones"))
