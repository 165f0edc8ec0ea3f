"""Tests of planning a set."""

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.simulation.plan import plan_mixtures

UTT2SPK = {f"{spk}-{number}": spk for spk in ("p1", "p2", "p3") for number in range(4)}
LENGTHS = {utt: 800 + 10 * position for position, utt in enumerate(UTT2SPK)}


def plan(utt2spk=UTT2SPK, **options):
    return plan_mixtures(utt2spk, LENGTHS, **({"snr_db": 0.0, "fs": 8000, "seed": 3} | options))


def test_every_utterance_is_the_target_once():
    assert sorted(mixture.sources[0].utt for mixture in plan()) == sorted(UTT2SPK)


def test_ids_are_unique_sorted_and_begin_with_the_target_speaker():
    ids = [mixture.id for mixture in plan(num_speakers=3)]
    assert ids == sorted(set(ids))
    assert all(mixture.id == "_".join(source.utt for source in mixture.sources) for mixture in plan())
    assert all(mixture.id.startswith(mixture.sources[0].spk + "-") for mixture in plan())


def test_the_plan_does_not_depend_on_the_order_of_the_utterances():
    assert plan(dict(reversed(UTT2SPK.items()))) == plan()


def test_another_seed_or_epoch_gives_other_partners():
    assert plan(seed=4) != plan(seed=3)
    assert [p.id for p in plan(epoch=1)] != [p.id for p in plan(epoch=2)]
    assert plan(epoch=2) == plan(epoch=2)


def test_one_speaker_cannot_be_mixed():
    with pytest.raises(DataDirError, match="mixtures of 2 speakers need at least 2 speakers, found 1"):
        plan({"p1-0": "p1", "p1-1": "p1"})
