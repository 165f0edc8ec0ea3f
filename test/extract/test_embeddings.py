"""Embeddings do not depend on how utterances are batched, and speakers are the mean of their segments."""

import numpy as np
import pytest
import torch

from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.data.segments import random_segment
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.extract.embeddings import AverageConfig, ExtractConfig, average_embeddings, embed, extract_embeddings
from zspex_toolkit.io.table import read_table
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.tasks.embedding import load_embedder


def test_an_utterance_has_the_same_embedding_in_any_batch(experiment):
    _, embedder = load_embedder(experiment / "embedder")
    feats = [torch.randn(length, 20) for length in (50, 7, 33, 50)]
    alone = torch.cat([embedder(one[None]) for one in feats])
    torch.testing.assert_close(embed(embedder, feats), alone, rtol=1e-4, atol=1e-4)


def test_whole_utterances_are_written_under_their_own_keys(experiment, voices, tmp_path):
    extract_embeddings(ExtractConfig(experiment / "embedder", voices / "data" / "test", tmp_path, device="cpu"))
    keys, vectors = read_embeddings(tmp_path / "xvector.scp")
    assert keys == list(read_table(voices / "data" / "test" / "utt2spk")) == list(read_table(tmp_path / "utt2spk"))
    spec, embedder = load_embedder(experiment / "embedder")
    feats = StoredFeatures(voices / "data" / "test", spec.front_end)[keys[3]]
    torch.testing.assert_close(vectors[3], embedder(feats[None])[0], rtol=1e-4, atol=1e-4)


def test_segments_are_numbered_behind_the_utterance(experiment, voices, tmp_path):
    options = {"segments_per_utterance": 2, "segment_frames": 20, "device": "cpu"}
    extract_embeddings(ExtractConfig(experiment / "embedder", voices / "data" / "test", tmp_path, **options))
    utt2spk = read_table(tmp_path / "utt2spk")
    assert list(utt2spk)[:3] == ["anna-06-000", "anna-06-001", "anna-07-000"] and utt2spk["anna-06-001"] == "anna"


def test_a_speaker_is_the_mean_of_the_drawn_segments(experiment, voices, tmp_path):
    data = voices / "data" / "train"
    options = {"num_segments": 5, "segment_frames": 20, "device": "cpu"}
    average_embeddings(AverageConfig(experiment / "embedder", data, tmp_path, **options))
    speakers, means = read_embeddings(tmp_path / "spk_xvector.scp")
    spec, embedder = load_embedder(experiment / "embedder")
    features = StoredFeatures(data, spec.front_end)
    rng = rng_for(0, "clean embedding", "bert")
    drawn = [features.data.spk2utt["bert"][rng.integers(6)] for _ in range(5)]
    vectors = [embedder(random_segment(features[utt], 20, rng)[None])[0].numpy() for utt in drawn]
    np.testing.assert_allclose(means[speakers.index("bert")], np.mean(vectors, axis=0), rtol=1e-4, atol=1e-4)


def test_no_segments_make_no_mean(experiment, voices, tmp_path):
    with pytest.raises(ConfigError, match="expected at least one segment of one frame, got 0 of 200"):
        average_embeddings(AverageConfig(experiment / "embedder", voices / "data" / "train", tmp_path, num_segments=0))
