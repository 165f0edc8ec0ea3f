"""The sound lines of a faulty table, and a reason for each of the others."""

from zspex_toolkit.io.known_tables import one_word, transcript
from zspex_toolkit.io.salvage import Dropped, salvage_table


def test_sound_lines_are_kept_and_the_others_explained(tmp_path):
    path = tmp_path / "utt2spk"
    path.write_bytes(b"b-1 b\n\n a-1\ta\r\nc-1\nd-1 d d\nb-1 b\nb-1 x\ne-1 \xff\nf-1 f")
    found = salvage_table(path, one_word)
    assert found.rows == {"b-1": "b", "a-1": "a", "f-1": "f"}
    assert [str(entry) for entry in found.dropped] == [
        "c-1 malformed line of utt2spk: line 4: no value",
        "d-1 malformed line of utt2spk: line 5: expected 2 fields, got 3",
        "b-1 repeated key in utt2spk: line 6: the same again",
        "b-1 repeated key in utt2spk: line 7: another value, the first was kept",
        "e-1 malformed line of utt2spk: line 8: not UTF-8",
    ]


def test_an_utterance_without_words_is_kept(tmp_path):
    (tmp_path / "text").write_text("a-1\nb-1 words\n")
    assert salvage_table(tmp_path / "text", transcript).rows == {"a-1": "", "b-1": "words"}


def test_a_reason_without_detail_ends_with_its_kind():
    assert str(Dropped("a-1", "not in text")) == "a-1 not in text"
