import multiprocessing
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zspex_toolkit.io.compact_table import Choices, CompactTable, Groups, Numbers, Rows, Selection, Texts

WORDS = st.lists(st.text(st.characters(exclude_categories=("Cs",))))


@settings(deadline=None)
@given(WORDS)
def test_texts_are_those_that_were_given(words):
    texts = Texts(words)
    assert list(texts) == words and len(texts) == len(words)
    assert [texts[index] for index in range(-len(words), 0)] == words
    for index in (len(words), -len(words) - 1):
        with pytest.raises(IndexError):
            texts[index]


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), st.integers(0, 2**40)), WORDS)
def test_a_table_is_the_dict_with_its_rows(rows, others):
    keys = sorted(rows)
    table = CompactTable(Texts(keys), Numbers(rows[key] for key in keys))
    assert dict(table) == dict(table.items()) == rows and table == rows
    assert list(table.values()) == [rows[key] for key in keys]
    assert [key in table for key in others] == [key in rows for key in others]
    with pytest.raises(KeyError):
        table["\N{GRINNING FACE} no such key"]


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc")))
def test_groups_have_their_members_in_their_order(groups):
    members, names = [f"{number:03}" for number in range(len(groups))], ["a", "b", "c"]
    found = Groups(Texts(members), Choices(groups, names), names)
    pairs = list(zip(members, groups, strict=True))
    assert dict(found) == {name: [member for member, group in pairs if group == name] for name in names}


def own_kilobytes():
    """Memory that this process shares with no other."""
    fields = Path("/proc/self/smaps_rollup").read_text()
    return sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): +(\d+) kB", fields, re.MULTILINE)))


def growth_of(read, told):
    before = own_kilobytes()
    read()
    told.send(own_kilobytes() - before)


def test_a_process_that_reads_every_row_gets_no_copy_of_the_table():
    keys = [f"speaker{number // 100:06}-utterance{number:06}" for number in range(100_000)]
    table = CompactTable(Texts(keys), Texts(f"place {number}" for number in range(len(keys))))
    rows = dict(table.items())
    grown = []
    for read in (
        lambda: sum(len(key) + len(value) for key, value in rows.items()),
        lambda: sum(len(key) + len(table[key]) for key in table),
    ):
        own, others = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=growth_of, args=(read, others))
        process.start()
        grown.append(own.recv())
        process.join()
    of_dict, of_table = grown
    assert 3 * of_table < of_dict  # whose rows take 130 bytes each


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",))), unique=True), WORDS)
def test_a_text_is_found_where_it_stands_in_every_process(words, others):
    for texts in (Texts(words).searchable(), pickle.loads(pickle.dumps(Texts(words).searchable()))):
        assert [texts.find(word) for word in words] == list(range(len(words)))
        assert all(texts.find(word) == -1 for word in others if word not in words)


def test_a_process_with_other_hashes_finds_texts_all_the_same(tmp_path):
    (tmp_path / "texts").write_bytes(pickle.dumps(Texts(["b", "a", "c"]).searchable()))
    code = f"import pickle; print(pickle.load(open({str(tmp_path / 'texts')!r}, 'rb')).find('a'))"
    for seed in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        assert found.stdout == "1\n", found.stderr


def test_a_selection_has_the_texts_at_its_positions():
    selection = Selection(Texts(["a", "b", "c", "d"]), np.array([3, 1, 0]))
    assert list(selection) == ["d", "b", "a"] and selection[-1] == "a" and len(selection) == 3


def test_rows_have_a_field_of_each_column():
    rows = Rows(["a", "b"], Numbers([1, 2]))
    assert list(rows) == [("a", 1), ("b", 2)] and len(rows) == 2


def test_a_table_of_texts_is_in_the_order_of_its_keys():
    assert list(CompactTable.of_texts({"b": "2", "a": "1"}).items()) == [("a", "1"), ("b", "2")]
