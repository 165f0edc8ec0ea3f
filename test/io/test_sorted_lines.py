"""Lines come out by their ids, whatever they hold, and leave no file."""

import os

from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.io.sorted_lines import SortedLines

WORD = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=9)


@given(lines=st.dictionaries(WORD, WORD, max_size=9))
def test_lines_come_out_in_the_order_of_the_bytes_of_their_ids_every_time(lines, tmp_path_factory):
    with SortedLines(tmp_path_factory.getbasetemp()) as found:
        for name, line in lines.items():
            found.add(name, line)
        assert len(found) == len(lines)
        for _ in range(2):
            assert list(found) == [f"{lines[name]}\n".encode() for name in sorted(lines, key=str.encode)]


def test_lines_may_be_added_after_some_were_read(tmp_path):
    with SortedLines(tmp_path) as lines:
        lines.add("b", "two")
        assert list(lines) == [b"two\n"]
        lines.add("a", "one")
        assert list(lines) == [b"one\n", b"two\n"]


def test_nothing_is_left_of_them_and_their_folder_need_not_be_there(tmp_path):
    with SortedLines(tmp_path / "not" / "yet") as lines:
        lines.add("a", "x" * 100_000)
        assert list(lines) == [b"x" * 100_000 + b"\n"]
        assert os.listdir(tmp_path) == []
    assert os.listdir(tmp_path) == []
