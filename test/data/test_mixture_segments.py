"""Who is known and who is asked for follows the direction of the experiment."""

import shutil

import pytest
import torch

from zspex_toolkit.data.mixture_segments import JoinedMixtures, MixtureSegments, StoredMixtures
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.signal.front_end import FrontEndConfig

SPEAKERS = ["anna", "bert", "cleo", "dave"]


def stored(voices) -> StoredMixtures:
    return StoredMixtures(StoredFeatures(voices / "data" / "mix_train_snr0", FrontEndConfig()))


@pytest.mark.parametrize(("given", "asked_is_target"), [("e2", True), ("e1", False)])
def test_given_e2_the_target_is_asked_for_and_given_e1_the_interferer(voices, given, asked_is_target):
    mixtures = stored(voices)
    segments = MixtureSegments(mixtures, SPEAKERS, given=given, segment_frames=20)
    batch = segments.collate([segments.get(0, 7), segments.get(0, 3)])
    targets, interferers = ([table[name] for name in batch["ids"]] for table in (mixtures.utt2spk, mixtures.utt2spk2))
    expected = (targets, interferers) if asked_is_target else (interferers, targets)
    assert tuple([SPEAKERS[number] for number in batch[side]] for side in ("asked", "known")) == expected
    assert batch["feats"].shape == (2, 20, 20)


def test_both_directions_of_a_mixture_share_its_segment(voices):
    segments = MixtureSegments(stored(voices), SPEAKERS, given="both", segment_frames=20)
    batch = segments.collate([segments.get(0, 7), segments.get(0, 3)])
    assert torch.equal(batch["feats"][:2], batch["feats"][2:]) and batch["ids"][:2] == batch["ids"][2:]
    assert batch["asked"].tolist() == batch["known"].roll(2).tolist()
    assert (batch["asked"] != batch["known"]).all()


def test_segments_move_with_the_epoch_and_come_back(voices):
    segments = MixtureSegments(stored(voices), SPEAKERS, given="e2", segment_frames=20)
    assert torch.equal(segments.get(1, 0)[1], segments.get(1, 0)[1])
    assert not torch.equal(segments.get(1, 0)[1], segments.get(2, 0)[1])


def test_a_batch_of_whole_mixtures_carries_their_lengths(voices):
    segments = MixtureSegments(stored(voices), SPEAKERS, given="e2", segment_frames=0)
    items = [segments.get(0, index) for index in range(4)]
    items[0] = (items[0][0], items[0][1][:30], *items[0][2:])
    batch = segments.collate(items)
    assert batch["num_frames"].tolist() == [len(item[1]) for item in items]
    assert batch["feats"].shape == (4, max(batch["num_frames"]), 20)


def test_another_direction_is_refused(voices):
    with pytest.raises(ConfigError, match="given: expected one of e1, e2, both, got 'e3'"):
        MixtureSegments(stored(voices), SPEAKERS, given="e3", segment_frames=20)


def test_a_speaker_without_a_clean_embedding_is_named(voices):
    segments = MixtureSegments(stored(voices), ["anna"], given="e2", segment_frames=20)
    with pytest.raises(DataDirError, match=r"speaker '\w+' has no clean embedding; average_embeddings makes them"):
        segments.get(0, 0)


def test_a_mixture_without_a_second_speaker_is_named(voices, tmp_path):
    shutil.copytree(voices / "data" / "mix_test_snr0", tmp_path / "mix")
    lines = (tmp_path / "mix" / "utt2spk2").read_text().splitlines(keepends=True)
    (tmp_path / "mix" / "utt2spk2").write_text("".join(lines[1:]))
    with pytest.raises(DataDirError, match=r"utt2spk2: no line for mixture 'anna-06_"):
        StoredMixtures(StoredFeatures(tmp_path / "mix", FrontEndConfig()))


class Named(list):
    """Mixtures of given names, without sound."""

    def name(self, index: int) -> str:
        return self[index]

    def draw(self, epoch: int, index: int) -> tuple[str, torch.Tensor, str, str]:
        return f"{self[index]}{epoch}", torch.zeros(1, 1), "anna", "bert"


def test_sets_that_are_joined_come_one_behind_the_other():
    joined = JoinedMixtures([Named(), Named("ab"), Named(), Named("cde")])
    assert [joined.name(index) for index in range(len(joined))] == ["a", "b", "c", "d", "e"]
    assert [joined.draw(7, index)[0] for index in range(len(joined))] == ["a7", "b7", "c7", "d7", "e7"]
    assert len(JoinedMixtures([])) == 0
