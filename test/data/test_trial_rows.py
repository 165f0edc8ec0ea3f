"""Batches of rows: padded where lengths differ, and only then with their lengths."""

import numpy as np

from zspex_toolkit.data.trial_rows import NO_SPEAKER, TrialRow, collate_rows


def row(num_samples: int, enrollment_length: int, speaker: int = 3, **options) -> TrialRow:
    signals = [np.arange(1, n + 1, dtype=np.float32) for n in (num_samples, num_samples, enrollment_length)]
    return TrialRow("a", *signals, speaker, **{"present": True, **options})


def test_equal_lengths_need_no_padding_and_tell_no_lengths():
    batch = collate_rows([[row(4, 2)], [row(4, 2, NO_SPEAKER, present=False)]])
    assert set(batch) == {"ids", "mixture", "target", "enrollment", "speaker", "present", "alone", "speaker_only"}
    assert batch["mixture"].tolist() == [[1, 2, 3, 4]] * 2
    assert batch["speaker"].tolist() == [3, -1] and batch["present"].tolist() == [True, False]


def test_shorter_signals_get_zeros_at_their_end():
    batch = collate_rows([[row(4, 2)], [row(3, 5, alone=True)]])
    assert batch["target"].tolist() == [[1, 2, 3, 4], [1, 2, 3, 0]]
    assert batch["enrollment"].tolist() == [[1, 2, 0, 0, 0], [1, 2, 3, 4, 5]]
    assert batch["num_samples"].tolist() == [4, 3] and batch["enrollment_length"].tolist() == [2, 5]
    assert batch["alone"].tolist() == [False, True]


def test_a_mixture_that_two_are_asked_of_comes_once_and_row_r_asks_of_mixture_r_modulo_m():
    items = [[row(4, 2, speaker), row(4, 5, speaker + 1)] for speaker in (0, 2, 4)]
    batch = collate_rows(items)
    assert batch["mixture"].shape == (3, 4) and batch["target"].shape == (6, 4) and len(batch["ids"]) == 6
    assert batch["speaker"].tolist() == [0, 2, 4, 1, 3, 5]
    assert batch["enrollment_length"].tolist() == [2, 2, 2, 5, 5, 5] and "num_samples" not in batch


def test_all_speech_of_each_mixture_comes_once_with_silence_where_a_mixture_has_fewer_speakers():
    def speech(*values):
        return [np.full(4, value, np.float32) for value in values]

    items = [
        [row(4, 2, sources=speech(1, 2))] * 2,
        [row(4, 2, sources=speech(3))] * 2,
        [row(4, 2, sources=speech(4, 5, 6))] * 2,
    ]
    sources = collate_rows(items)["sources"]
    assert sources.shape == (3, 3, 4) and (sources == sources[:, :, :1]).all()
    assert sources[:, :, 0].tolist() == [[1, 2, 0], [3, 0, 0], [4, 5, 6]]


def test_shorter_mixtures_have_zeros_at_the_end_of_their_sources():
    items = [[row(4, 2, sources=np.ones((2, 4), np.float32))], [row(3, 2, sources=np.ones((1, 3), np.float32))]]
    assert collate_rows(items)["sources"].tolist() == [[[1] * 4] * 2, [[1, 1, 1, 0], [0] * 4]]


def test_there_are_no_sources_where_one_mixtures_are_not_known():
    assert "sources" not in collate_rows([[row(4, 2, sources=np.ones((2, 4), np.float32))], [row(4, 2)]])


def test_clues_from_elsewhere_are_stacked():
    rows = [[row(4, 2, clue_embedding=np.full(3, value, np.float32))] for value in (1, 2)]
    assert collate_rows(rows)["clue_embedding"].tolist() == [[1] * 3, [2] * 3]
