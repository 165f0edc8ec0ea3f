import io
import itertools

import numpy as np
import pytest
import soundfile
from support.made_up_words import FS, say

from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.recognise.recogniser import Recogniser
from zspex_toolkit.recognise.transcribe import Config, cut_at_quiet, recognise_recording, transcribe
from zspex_toolkit.signal.resample import resample

pytest.importorskip("sentencepiece")


def said(words, seed=3):
    return say(words.lower().split(), np.random.default_rng(seed)).astype(np.float32)


def heard(tones, **options):
    out = io.StringIO()
    transcribe(Config(tones / "exp", device="cpu", **options), out)
    return out.getvalue()


@pytest.mark.parametrize("fs", [8000, 16000, 44100])
def test_a_recording_of_any_rate(tones, tmp_path, fs):
    soundfile.write(tmp_path / "a.wav", resample(said("DO FA RE"), FS, fs), fs)
    assert heard(tones, audio=tmp_path / "a.wav") == "DO FA RE\n"


def test_of_two_channels_the_mean_is_taken(tones, tmp_path):
    first, second = said("DO"), said("DO", seed=4)
    soundfile.write(tmp_path / "a.wav", np.stack([first, second], axis=1), FS)
    assert heard(tones, audio=tmp_path / "a.wav") == "DO\n"


def test_a_list_names_each_recording(tones, tmp_path):
    for name, words in (("a", "DO RE"), ("b", "MI")):
        soundfile.write(tmp_path / f"{name}.flac", said(words), FS)
    (tmp_path / "jobs.tsv").write_text(f"{tmp_path}/b.flac\n{tmp_path}/a.flac\n")
    assert heard(tones, list=tmp_path / "jobs.tsv") == f"{tmp_path}/b.flac\tMI\n{tmp_path}/a.flac\tDO RE\n"


def test_each_word_has_a_time(tones, tmp_path):
    soundfile.write(tmp_path / "a.wav", said("DO MI"), FS)
    rows = [line.split("\t") for line in heard(tones, audio=tmp_path / "a.wav", times=True).splitlines()]
    assert [row[3] for row in rows] == ["DO", "MI"]
    assert float(rows[0][1]) < 0.3 <= float(rows[1][1]) < 0.6


def test_with_an_enrollment_the_extracted_voice_is_recognised(tones, tmp_path, monkeypatch):
    given = {}

    class Other:
        def extract(self, mixture, enrollment, fs):
            given.update(mixture=mixture, enrollment=enrollment, fs=fs)
            return said("RE RE")

    monkeypatch.setattr(Extractor, "load", lambda model, device: given.update(model=model) or Other())
    soundfile.write(tmp_path / "a.wav", said("DO FA"), FS)
    soundfile.write(tmp_path / "me.wav", np.zeros(2 * FS), 2 * FS)
    found = heard(tones, audio=tmp_path / "a.wav", enrollment=(tmp_path / "me.wav",), extractor="mine")
    assert found == "RE RE\n"
    assert (given["fs"], given["model"], [len(one) for one in given["enrollment"]]) == (FS, "mine", [FS])


def test_a_long_recording_is_cut_between_words(tones):
    words = "DO RE MI FA FA MI RE DO MI MI DO FA"
    recogniser = Recogniser(tones / "exp", device="cpu")
    found = recognise_recording(recogniser, said(words), piece_s=1.2)
    assert " ".join(word.word for word in found) == words
    assert [word.start_s for word in found] == sorted(word.start_s for word in found)
    assert abs(found[-1].start_s - 3.4) < 0.2  # the twelfth word begins there


def test_pieces_cover_a_recording():
    samples = np.random.default_rng(0).normal(size=10007)
    pieces = list(cut_at_quiet(samples, 1000, 20))
    assert pieces[0][0] == 0 and pieces[-1][1] == 10007
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))
    assert all(500 <= stop - start <= 1000 for start, stop in pieces[:-1])
    assert list(cut_at_quiet(samples[:0], 1000, 20)) == [(0, 0)]
    assert list(cut_at_quiet(np.ones(5), 2, 20)) == [(0, 2), (2, 4), (4, 5)]


def test_what_is_wrong_is_named(tones, tmp_path):
    with pytest.raises(ConfigError, match="expected one of the two"):
        heard(tones)
    with pytest.raises(UserError, match="no such file"):
        heard(tones, list=tmp_path / "jobs.tsv")
    (tmp_path / "jobs.tsv").write_text("a.wav\t\n")
    with pytest.raises(UserError, match=r"jobs\.tsv:1: expected a recording"):
        heard(tones, list=tmp_path / "jobs.tsv")
    with pytest.raises(AudioError, match=r"none\.wav"):
        heard(tones, audio=tmp_path / "none.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), FS)
    with pytest.raises(AudioError, match="holds no samples"):
        heard(tones, audio=tmp_path / "empty.wav")
