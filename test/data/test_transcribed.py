import numpy as np
import pytest
import torch

from zspex_toolkit.data.transcribed import TranscribedBatches, buckets_by_duration, fitting
from zspex_toolkit.errors import ConfigError

FS = 1000


class MadeUp:
    """Waveforms that tell their utterance: all samples of utterance "7" are 7."""

    fs = FS

    def __init__(self, lengths):
        self.lengths = lengths

    def __getitem__(self, utt):
        return np.full(self.lengths[utt], float(utt), dtype=np.float32)


@pytest.fixture
def lengths():
    rng = np.random.default_rng(0)
    return {str(n): int(rng.integers(500, 5000)) for n in range(1, 101)}


def batches(lengths, **options):
    tokens = {utt: [1 + int(utt), 2] for utt in lengths}
    return TranscribedBatches(MadeUp(lengths), lengths, tokens, **{"max_seconds": 20.0, **options})


def test_every_utterance_comes_once_in_each_epoch(lengths):
    items = batches(lengths)
    for epoch in range(3):
        seen = [utt for index in range(len(items)) for utt, _, _ in items.get(epoch, index)]
        assert sorted(seen) == sorted(lengths)


@pytest.mark.parametrize("speeds", [(1.0,), (0.9, 1.0, 1.1)])
def test_no_batch_is_larger_than_allowed_and_the_largest_is_known(lengths, speeds):
    items = batches(lengths, speeds=speeds)
    for index in range(len(items)):
        size = items.collate([items.get(0, index)])["waveforms"].numel()
        assert size <= items.size(index) <= 20 * FS


def test_little_of_a_batch_is_padding(lengths):
    items = batches(lengths)
    collated = [items.collate([items.get(0, index)]) for index in range(len(items))]
    padded = sum(batch["waveforms"].numel() for batch in collated)
    assert padded < 1.15 * sum(lengths.values())


def test_a_long_utterance_is_a_batch_of_its_own():
    items = batches({"1": 50000, "2": 49000, "3": 100})
    assert [len(items.get(0, index)) for index in range(len(items))] == [1, 1, 1]


def test_epochs_differ_and_repeat(lengths):
    def order(items, epoch):
        return [[utt for utt, _, _ in items.get(epoch, index)] for index in range(len(items))]

    items = batches(lengths)
    assert order(items, 0) != order(items, 1)
    assert order(items, 0) == order(batches(lengths), 0)
    fixed = batches(lengths, shuffle=False)
    assert order(fixed, 0) == order(fixed, 1)


def test_a_speed_changes_the_length_and_is_drawn_anew():
    items = batches({"1": 1000}, speeds=(0.8, 1.25))
    found = [len(items.get(epoch, 0)[0][1]) for epoch in range(20)]
    assert set(found) == {800, 1250}


def test_a_batch_is_padded_with_zeros():
    items = batches({"3": 100, "4": 98})
    batch = items.collate([items.get(0, 0)])
    rows = dict(zip(batch["ids"], batch["waveforms"], strict=True))
    assert rows["3"].eq(3).all() and rows["4"][:98].eq(4).all() and not rows["4"][98:].any()
    assert dict(zip(batch["ids"], batch["num_samples"].tolist(), strict=True)) == {"3": 100, "4": 98}
    assert dict(zip(batch["ids"], batch["tokens"].tolist(), strict=True)) == {"3": [4, 2], "4": [5, 2]}
    assert batch["num_tokens"].dtype == torch.long


def test_utterances_of_a_bucket_are_alike():
    for bucket in buckets_by_duration({str(n): 100 * n for n in range(1, 200)}, 10**5):
        durations = [100 * int(utt) for utt in bucket.utterances]
        assert max(durations) <= 1.15 * min(durations)


def test_utterances_shorter_than_their_tokens_are_left_out():
    tokens = {"a": [1, 2, 3], "b": [1, 1, 1], "c": [1]}
    frames = dict.fromkeys(tokens, 40)
    assert set(fitting(frames, tokens, lambda samples: samples // 10)) == {"a", "c"}  # b needs 5 frames
    assert set(fitting(frames, tokens, lambda samples: samples // 10, fastest=2.0)) == {"c"}


def test_senseless_settings_are_refused(lengths):
    with pytest.raises(ConfigError, match="batch_seconds: expected a number above 0, got 0"):
        batches(lengths, max_seconds=0)
    with pytest.raises(ConfigError, match="speeds"):
        batches(lengths, speeds=())
