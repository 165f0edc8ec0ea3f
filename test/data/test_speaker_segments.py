"""Every utterance gives its segments, labelled with its speaker."""

import torch

from zspex_toolkit.data.speaker_segments import SpeakerSegments
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.signal.front_end import FrontEndConfig

SPEAKERS = ["anna", "bert", "cleo", "dave"]


def segments(voices, **options) -> SpeakerSegments:
    features = StoredFeatures(voices / "data" / "train", FrontEndConfig())
    return SpeakerSegments(features, SPEAKERS, **{"segment_frames": 30, **options})


def test_an_epoch_has_every_utterance_as_often_as_asked(voices):
    items = segments(voices, segments_per_utterance=2)
    names = [items.get(0, index)[0] for index in range(len(items))]
    assert sorted(names) == sorted(2 * [f"{spk}-{number:02d}" for spk in SPEAKERS for number in range(6)])


def test_the_label_is_the_speaker_of_the_utterance(voices):
    items = segments(voices)
    for index in range(len(items)):
        name, feats, label = items.get(0, index)
        assert name.startswith(SPEAKERS[label]) and feats.shape == (30, 20)


def test_segments_follow_from_seed_epoch_and_index(voices):
    assert torch.equal(segments(voices).get(2, 3)[1], segments(voices).get(2, 3)[1])
    assert not torch.equal(segments(voices).get(2, 3)[1], segments(voices, seed=1).get(2, 3)[1])
