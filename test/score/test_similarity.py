"""Tests of the similarity of recordings to speakers."""

import json

import numpy as np
import pytest
from support.made_up_trials import write_outputs

from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.extract.embeddings import embed
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.metrics.cosine_similarity import cosine_similarity
from zspex_toolkit.score.extraction import Config, score_extraction
from zspex_toolkit.score.similarity import SpeakerSimilarity
from zspex_toolkit.tasks.embedding import load_embedder

FS = 16000


@pytest.fixture
def recordings(voices) -> dict[str, str]:
    return DataDir.load(voices / "data" / "test").wavs


def test_it_is_the_cosine_of_the_embeddings_of_the_stored_features(experiment, voices, recordings):
    similarity = SpeakerSimilarity(experiment / "embedder", recordings.values(), fs=FS, device="cpu", nj=2)
    spec, network = load_embedder(experiment / "embedder")
    stored = StoredFeatures(voices / "data" / "test", spec.front_end)
    first, second = (network(stored[utt][None])[0].numpy() for utt in ("anna-06", "bert-07"))
    found = similarity(recordings["anna-06"], recordings["bert-07"])
    assert found == pytest.approx(float(cosine_similarity(first, second)), abs=1e-3)


def test_a_speaker_is_more_like_itself_than_like_others(experiment, recordings):
    similarity = SpeakerSimilarity(experiment / "embedder", recordings.values(), fs=FS, device="cpu")
    names = list(recordings)
    own, other = [], []
    for number, name in enumerate(names):
        for second in names[number + 1 :]:
            same = name.partition("-")[0] == second.partition("-")[0]
            (own if same else other).append(similarity(recordings[name], recordings[second]))
    assert np.mean(own) > np.mean(other) + 0.3


def test_features_are_in_memory_a_part_at_a_time(experiment, recordings, monkeypatch):
    names = sorted(recordings.values())[:5]
    whole = SpeakerSimilarity(experiment / "embedder", names, fs=FS, device="cpu")
    sizes = []
    from zspex_toolkit.score import similarity as module

    monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(module, "embed", lambda net, feats, **kw: sizes.append(len(feats)) or embed(net, feats, **kw))
    parts = SpeakerSimilarity(experiment / "embedder", names, fs=FS, device="cpu")
    assert sizes == [2, 2, 1]
    for other in names[1:]:
        assert parts(names[0], other) == pytest.approx(whole(names[0], other), abs=1e-5)


def test_silence_and_clicks_have_no_embedding_and_say_why(experiment, tmp_path, recordings):
    write_audio(tmp_path / "silence.wav", np.zeros(FS), FS)
    write_audio(tmp_path / "click.wav", 0.1 * np.cos(np.arange(100)), FS)
    speech = recordings["anna-06"]
    paths = [str(tmp_path / "silence.wav"), str(tmp_path / "click.wav")]
    similarity = SpeakerSimilarity(experiment / "embedder", [speech, *paths], fs=FS, device="cpu")
    assert similarity.faults == {paths[0]: "silent", paths[1]: "shorter than one frame of 400 samples"}
    assert [similarity(path, speech) for path in paths] == [None, None]
    assert similarity(speech, speech) == pytest.approx(1, abs=1e-6)


def test_a_network_for_another_rate_is_refused(experiment, recordings):
    with pytest.raises(ConfigError, match="embedder: this network is made for 16000 Hz, the audio has 8000 Hz"):
        SpeakerSimilarity(experiment / "embedder", recordings.values(), fs=8000)


def test_scores_compare_output_mixture_and_interferer_with_the_enrollment(experiment, recordings, trial_dir, tmp_path):
    length = 20000  # all voices last 24000 samples
    voices = {utt: read_audio(recordings[utt])[0][:length] for utt in ("anna-06", "bert-06", "anna-08")}
    voices["both"] = voices["anna-06"] + voices["bert-06"]
    tables = {"wav.scp": "both", "spk1.scp": "anna-06", "spk2.scp": "bert-06", "enroll_spk1.scp": "anna-08"}
    for table, name in tables.items():
        write_audio(tmp_path / "voices" / f"{name}.wav", 0.5 * voices[name], FS)
        write_table(trial_dir / table, {"ann-m1": tmp_path / "voices" / f"{name}.wav"})
    for table in ("utt2spk", "utt2condition"):
        write_table(trial_dir / table, {"ann-m1": read_table(trial_dir / table)["ann-m1"]})
    outputs = write_outputs(tmp_path / "out", trial_dir, lambda _, target, rest: target)
    options = {"metrics": ("si_sdr",), "embedder": experiment / "embedder", "device": "cpu"}
    score_extraction(Config(trial_dir, outputs, tmp_path / "scores", **options))
    row = json.loads((tmp_path / "scores" / "trials.jsonl").read_text())
    assert row["similarity"] == pytest.approx(row["similarity_target"], abs=1e-3)
    assert row["similarity"] > row["similarity_mixture"] > row["similarity_interferer"]
    write_audio(outputs / "ann-m1.wav", np.zeros(length), FS)
    score_extraction(Config(trial_dir, outputs, tmp_path / "scores", max_dropped_share=1.0, **options))
    assert json.loads((tmp_path / "scores" / "trials.jsonl").read_text())["similarity"] is None
    dropped = json.loads((tmp_path / "scores" / "scores.json").read_text())["dropped"]
    assert dropped == [
        "ann-m1: similarity: " + str(outputs / "ann-m1.wav") + " is silent",
        "ann-m1: the output is silent",
    ]
