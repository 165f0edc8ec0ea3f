import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.text.normalise import normalise_text, read_transcripts, require_words


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Hello,\tWORLD! ", "HELLO WORLD"),
        ("it\u2019s o'clock, 'tis", "IT'S O'CLOCK TIS"),
        ("well-known: 42 %", "WELL KNOWN 42"),
        ("<unk> [noise] a <b", "A B"),
        ("<unk>, so [loud noise] it is[cough]", "SO IT IS"),
        ("a < b > c", "A B C"),
        ("stra\u00dfe \ufb01n", "STRASSE FIN"),
        ("e\u0301t\u00e9", "\u00c9T\u00c9"),
        ("...", ""),
    ],
)
def test_the_normal_form(text, normal):
    assert normalise_text(text) == normal


@given(st.text())
def test_normal_text_stays_as_it_is(text):
    assert normalise_text(normalise_text(text)) == normalise_text(text)


def test_a_text_without_any_words_is_refused(tmp_path):
    (tmp_path / "text").write_text("a ...\nb\n")
    with pytest.raises(DataDirError, match="found no words in 2 lines"):
        read_transcripts(tmp_path / "text")


def test_utterances_without_words_are_counted():
    with pytest.raises(DataDirError, match="found none for 2, such as 'b'"):
        require_words({"a": "A", "b": ""}, ["a", "b", "c"], "text")
