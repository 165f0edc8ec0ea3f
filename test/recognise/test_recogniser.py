import numpy as np
import pytest
from support.made_up_words import FS, say

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.recognise.recogniser import DecodeConfig, Recogniser

pytest.importorskip("sentencepiece")


@pytest.mark.parametrize("beam", [1, 8])
def test_words_are_recognised(tones, beam):
    recogniser = Recogniser(tones / "exp", decode=DecodeConfig(beam=beam), device="cpu")
    rng = np.random.default_rng(5)
    said = [["do", "mi", "fa"], ["re"], ["fa", "do"]]
    assert recogniser.transcribe([say(words, rng) for words in said]) == ["DO MI FA", "RE", "FA DO"]


def test_a_batch_gives_what_each_of_it_gives(tones):
    recogniser = Recogniser(tones / "exp", device="cpu")
    rng = np.random.default_rng(6)
    recordings = [say(list(rng.choice(["do", "re", "mi", "fa"], size=n)), rng) for n in (1, 5, 3)]
    assert recogniser.transcribe(recordings) == [recogniser.transcribe([one])[0] for one in recordings]


def test_times_of_words_lie_within_them(tones):
    words = Recogniser(tones / "exp", device="cpu").words(say(["do", "mi"], np.random.default_rng(7)))
    assert [word.word for word in words] == ["DO", "MI"]
    for word, begins in zip(words, (0.1, 0.4), strict=True):  # 0.2 s each
        assert begins - 0.1 <= word.start_s < word.end_s <= begins + 0.35


@pytest.mark.parametrize("num_samples", [0, 1, 50])
def test_next_to_nothing_has_no_words(tones, num_samples):
    recogniser = Recogniser(tones / "exp", device="cpu")
    assert recogniser.fs == FS
    assert recogniser.transcribe([np.zeros(num_samples, np.float32)]) == [""]
    assert recogniser.words(np.zeros(num_samples, np.float32)) == []


def test_a_senseless_beam_is_refused():
    with pytest.raises(ConfigError, match="beam: expected 1 or more, got 0"):
        DecodeConfig(beam=0)
