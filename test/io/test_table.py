"""Kaldi tables: what is read, what is refused with file and line, and the order of bytes."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.table import invert, read_table, sorted_keys, write_table

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=8)
TABLES = st.dictionaries(WORDS, st.lists(WORDS, min_size=1, max_size=4).map(" ".join), max_size=8)


@settings(max_examples=30, deadline=None)
@given(table=TABLES)
def test_what_is_written_is_read_back_in_the_order_of_bytes(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "text"
    write_table(path, table)
    assert read_table(path) == table
    assert [key.encode() for key in read_table(path)] == sorted(key.encode() for key in table)


def test_the_order_is_that_of_sort_in_the_c_locale():
    keys = ["a_1", "a-1", "A-1", "a", "a1", "ä", "z", "a-10", "a-2", "\U0001f600", "\uffee"]
    by_sort = subprocess.run(
        ["sort"], input="\n".join(keys), env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert sorted_keys(keys) == by_sort.stdout.split("\n")[:-1]


def test_tabs_and_repeated_blanks_separate_too(tmp_path):
    (tmp_path / "text").write_text("a\tone two\nb   three  \nc \t x\n")
    assert read_table(tmp_path / "text") == {"a": "one two", "b": "three", "c": "x"}


def test_lists_become_words(tmp_path):
    write_table(tmp_path / "spk2utt", {"ann": ["ann-1", "ann-2"]})
    assert (tmp_path / "spk2utt").read_text() == "ann ann-1 ann-2\n"


def test_an_utterance_without_words_is_taken_when_asked_for(tmp_path):
    write_table(tmp_path / "text", {"a": "", "b": "x"}, allow_empty=True)
    assert (tmp_path / "text").read_text() == "a\nb x\n"
    assert read_table(tmp_path / "text", allow_empty=True) == {"a": "", "b": "x"}
    with pytest.raises(DataDirError, match="text:1: expected '<key> <value>', got 'a'"):
        read_table(tmp_path / "text")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a 1\n\nb 2\n", ":2: expected '<key> <value>', got an empty line"),
        (b"a 1\nb\n", ":2: expected '<key> <value>', got 'b'"),
        (b"a 1\nb \n", ":2: expected '<key> <value>', got 'b '"),
        (b"a 1\n b 2\n", ":2: expected '<key> <value>', got ' b 2'"),
        (b"a 1\nb 2\na 3\n", ":3: duplicate key 'a', first seen on line 1"),
        (b"a 1\r\n", ":1: expected a Unix line end, got a carriage return; convert the file with dos2unix"),
        (b"a 1\nb 2", ":2: expected a newline at the end of the last line"),
        (
            b"a 1\nb \xff\n",
            ":2: expected UTF-8 text, found byte 0xff; is it Latin-1? iconv -f LATIN1 -t UTF-8 converts it",
        ),
    ],
)
def test_a_malformed_line_is_refused_with_file_and_line(tmp_path, content, message):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(DataDirError) as error:
        read_table(tmp_path / "t")
    assert str(error.value) == f"{tmp_path / 't'}{message}"


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(DataDirError, match="nope: no such file"):
        read_table(tmp_path / "nope")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a b": "1"}, "expected a key without blanks, got 'a b'"),
        ({"": "1"}, "expected a key without blanks, got ''"),
        ({"a": " "}, "expected one line of value for 'a', got ''"),
        ({"a": "1\nb 2"}, "expected one line of value for 'a'"),
    ],
)
def test_a_bad_row_is_refused_and_the_old_table_stays(tmp_path, table, message):
    write_table(tmp_path / "t", {"old": "1"})
    with pytest.raises(DataDirError, match=message):
        write_table(tmp_path / "t", {"z": "1", **table})
    assert (tmp_path / "t").read_text() == "old 1\n"


def test_inverting_gives_sorted_speakers_with_sorted_utterances():
    assert list(invert({"b-2": "b", "a-1": "a", "b-1": "b"}).items()) == [("a", ["a-1"]), ("b", ["b-1", "b-2"])]
