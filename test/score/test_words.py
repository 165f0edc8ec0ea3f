import json
import random

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.table import write_table
from zspex_toolkit.score.words import Config, WordErrors, align_words, rate_interval, score_text, word_errors

pytest.importorskip("kaldialign")


def levenshtein(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row = row, [i]
        for j, y in enumerate(b, start=1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
    return row[-1]


def test_errors_counted_by_hand():
    assert word_errors("THE OLD MAN SANG", "OLD MEN SANG A SONG") == WordErrors(4, 1, 1, 2)
    assert word_errors("A B", "") == WordErrors(2, 0, 2, 0)
    assert word_errors("", "A B") == WordErrors(0, 0, 0, 2)
    assert WordErrors(4, 1, 1, 2).rate == 100


def test_the_errors_are_the_fewest_there_can_be():
    rng = random.Random(0)
    for _ in range(200):
        a, b = ([rng.choice("ABCD") for _ in range(rng.randrange(8))] for _ in range(2))
        assert word_errors(" ".join(a), " ".join(b)).errors == levenshtein(a, b)


def test_an_alignment_keeps_both_sides():
    pairs = align_words("THE OLD MAN SANG", "OLD MEN SANG A SONG")
    assert [w for w, _ in pairs if w != "*"] == ["THE", "OLD", "MAN", "SANG"]
    assert [w for _, w in pairs if w != "*"] == ["OLD", "MEN", "SANG", "A", "SONG"]


def test_the_interval_is_of_whole_speakers():
    utt2spk = {f"{spk}-{n}": spk for spk in "ab" for n in range(50)}
    errors = {utt: WordErrors(10, 10 if utt[0] == "a" else 0, 0, 0) for utt in utt2spk}
    assert rate_interval(errors, utt2spk) == (0.0, 100.0)  # both draws of one speaker: one in four
    alike = {utt: WordErrors(10, 2, 0, 0) for utt in utt2spk}
    assert rate_interval(alike, utt2spk) == (20.0, 20.0)


def test_a_speaker_weighs_by_the_number_of_words():
    utt2spk = {"a-1": "a", "b-1": "b"}
    low, high = rate_interval({"a-1": WordErrors(30, 0, 0, 0), "b-1": WordErrors(10, 4, 0, 0)}, utt2spk)
    assert (low, high) == (0.0, 40.0)


@pytest.fixture
def data(tmp_path):
    write_table(tmp_path / "data" / "text", {"a-1": "one two", "a-2": "three", "b-1": "it\u2019s four five"})
    write_table(tmp_path / "data" / "utt2spk", {"a-1": "a", "a-2": "a", "b-1": "b"})
    write_table(tmp_path / "data" / "spk2gender", {"a": "f", "b": "m"})
    return tmp_path / "data"


def test_a_score_has_totals_and_groups(data, tmp_path, capsys):
    write_table(tmp_path / "text", {"a-1": "One too", "a-2": "", "b-1": "IT'S four five six"}, allow_empty=True)
    score_text(Config(data, tmp_path / "text", tmp_path / "out"))
    result = json.loads((tmp_path / "out" / "wer.json").read_text())
    assert result["wer"] == 50 and result["words"] == 6
    assert [result[name] for name in ("substitutions", "deletions", "insertions")] == [1, 1, 1]
    assert result["gender"]["m"]["insertions"] == 1 and result["speaker"]["a"]["wer"] == pytest.approx(200 / 3)
    assert "WER 50.00 %" in capsys.readouterr().out
    trn = (tmp_path / "out" / "hyp.trn").read_text().splitlines()
    assert trn == ["ONE TOO (a-1)", "(a-2)", "IT'S FOUR FIVE SIX (b-1)"]
    shown = (tmp_path / "out" / "alignment.txt").read_text().splitlines()
    assert shown[:3] == ["a-1 ref ONE TWO", "a-1 hyp ONE TOO", "a-1 err     S"]


def test_utterances_that_one_side_lacks_are_named(data, tmp_path):
    write_table(tmp_path / "text", {"a-1": "one two"})
    with pytest.raises(DataDirError, match="found none for 2, such as 'a-2'"):
        score_text(Config(data, tmp_path / "text", tmp_path / "out"))
    write_table(tmp_path / "text", {"a-1": "x", "a-2": "x", "b-1": "x", "c-1": "x"})
    with pytest.raises(DataDirError, match="found none for 1, such as 'c-1'"):
        score_text(Config(data, tmp_path / "text", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_speaker_without_gender_is_named(data, tmp_path):
    write_table(tmp_path / "text", {"a-1": "one two", "a-2": "three", "b-1": "x"})
    write_table(data / "spk2gender", {"a": "f"})
    with pytest.raises(DataDirError, match="spk2gender: expected a line for each of 2 speakers, found none for 1"):
        score_text(Config(data, tmp_path / "text", tmp_path / "out"))
    assert not (tmp_path / "out").exists()
