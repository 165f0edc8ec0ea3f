"""Clues that are made once and kept, by the extractor itself or by an x-vector network."""

import numpy as np
import pytest
import torch
from support.made_up_trials import FS, make_trials, tone
from support.tiny_model import write_model

from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.extract.clue_sources import read_clue
from zspex_toolkit.extract.enroll import Config, XvectorEnroller, enroll
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.jobs import Config as ExtractConfig
from zspex_toolkit.extract.jobs import extract
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.models.clue import Clue


@pytest.fixture
def folder(tmp_path):
    for spk in ("ann", "bob"):
        write_audio(tmp_path / f"{spk}.wav", tone(spk), FS)
    write_audio(tmp_path / "mix.wav", tone("ann") + tone("bob"), FS)
    return tmp_path


def test_a_clue_from_a_file_gives_the_voice_of_the_recording(folder):
    model = write_model(folder / "m")
    enroll(Config(model=model, enrollment=(f"{folder}/ann.wav",), output=folder / "ann.clue", device="cpu"))
    given = {"model": model, "mixture": f"{folder}/mix.wav", "device": "cpu"}
    extract(ExtractConfig(**given, enrollment=(f"{folder}/ann.wav",), output=folder / "a.wav"))
    extract(ExtractConfig(**given, clue=(f"{folder}/ann.clue",), output=folder / "b.wav"))
    assert (folder / "a.wav").read_bytes() == (folder / "b.wav").read_bytes()


def test_a_list_takes_clues_and_asks_a_meeting_of_all_people_at_once(folder, monkeypatch, capsys):
    model = write_model(folder / "m")
    enroll(Config(model=model, enrollment=(f"{folder}/ann.wav",), output=folder / "ann.clue", device="cpu"))
    lines = [("mix", f"clue:{folder}/ann.clue", "a"), ("mix", f"{folder}/bob.wav", "b"), ("mix", "none.wav", "c")]
    for name, chosen in (("two", lines[:2]), ("three", lines)):
        rows = (f"{folder}/{mix}.wav\t{who}\t{folder}/{name}-{out}.wav\n" for mix, who, out in chosen)
        (folder / f"{name}.tsv").write_text("".join(rows))
    asked, separate = [], Extractor.separate
    monkeypatch.setattr(
        Extractor, "separate", lambda self, mixtures, clue: asked.append(len(clue)) or separate(self, mixtures, clue)
    )
    extract(ExtractConfig(model, list=folder / "two.tsv", device="cpu"))
    assert asked == [2] and capsys.readouterr().out.count("1.00 s") == 2
    with pytest.raises(Exception, match="1 of 3 jobs failed"):
        extract(ExtractConfig(model, list=folder / "three.tsv", device="cpu"))
    assert asked == [2, 1, 1]  # one by one, so that the third does not lose the others
    for out in ("a", "b"):
        one, other = (read_audio(folder / f"{name}-{out}.wav")[0] for name in ("two", "three"))
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_an_x_vector_is_a_clue_that_any_network_of_its_size_may_use(voices, experiment, tmp_path):
    data = DataDir.load(voices / "data" / "train")
    utterances = data.utterances[:2]
    sources = tuple(data.wavs[utt] for utt in utterances)
    enroll(Config(embedder=experiment / "embedder", enrollment=sources, output=tmp_path / "it.clue", device="cpu"))
    clue, made_by = Clue.load(tmp_path / "it.clue")
    enroller = XvectorEnroller(experiment / "embedder", "cpu")
    vectors = [enroller.enroll(source).embedding for source in sources]
    torch.testing.assert_close(clue.embedding, (vectors[0] + vectors[1]) / 2)
    assert made_by == "" and clue.embedding.shape == (1, 12)


def test_a_trial_directory_gets_the_clue_of_every_trial(experiment, tmp_path):
    trials = make_trials(tmp_path)
    enroll(Config(embedder=experiment / "embedder", data=trials, device="cpu"))
    keys, vectors = read_embeddings(trials / "clue_spk1.scp")
    assert keys == DataDir.load(trials).utterances and vectors.shape == (8, 12)
    number = {key: place for place, key in enumerate(keys)}
    assert torch.equal(vectors[number["ann-m1"]], vectors[number["ann-m2"]])  # the same enrollment
    assert not torch.allclose(vectors[number["ann-m1"]], vectors[number["bob-m1"]])


def test_a_trial_whose_enrollment_is_unfit_is_named(experiment, tmp_path):
    trials = make_trials(tmp_path)
    write_audio(tmp_path / "short.wav", np.ones(10) * np.arange(10) / 20, FS)
    write_table(
        trials / "enroll_spk1.scp", read_table(trials / "enroll_spk1.scp") | {"cat-m2": f"{tmp_path}/short.wav"}
    )
    with pytest.raises(AudioError, match=r"cat-m2: .*short\.wav: expected at least 400 samples at 16000 Hz, found 20"):
        enroll(Config(embedder=experiment / "embedder", data=trials, device="cpu"))
    assert not (trials / "clue_spk1.scp").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "expected --enrollment and --output, or --data with --embedder"),
        ({"enrollment": ("a.wav",)}, "expected --enrollment and --output"),
        ({"data": "d"}, "--data: expected --embedder beside it"),
        ({"data": "d", "embedder": "x", "model": "m"}, "neither --model, --enrollment nor --output"),
        (
            {"enrollment": ("a",), "output": "o", "model": "m", "embedder": "x"},
            "expected --model or --embedder, got both",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        enroll(Config(**settings))


def test_a_silent_recording_is_no_clue(experiment, tmp_path):
    write_audio(tmp_path / "silent.wav", np.zeros(FS), FS)
    with pytest.raises(AudioError, match=r"silent\.wav: silent: no speech to know the speaker by"):
        XvectorEnroller(experiment / "embedder", "cpu").enroll(f"{tmp_path}/silent.wav")


def test_what_was_enrolled_can_be_read_for_that_model_alone(folder):
    one, other = write_model(folder / "m"), write_model(folder / "other", seed=1)
    enroll(Config(model=one, enrollment=(f"{folder}/ann.wav",), output=folder / "ann.clue", device="cpu"))
    assert len(read_clue(Extractor.load(one, device="cpu"), f"{folder}/ann.clue")) == 1
    with pytest.raises(ValueError, match="a clue of another model"):
        read_clue(Extractor.load(other, device="cpu"), f"{folder}/ann.clue")
