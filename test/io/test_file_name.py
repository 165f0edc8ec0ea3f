"""Names of files: inside their folder, one for each id, found again."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.io.file_name import file_name_of


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("1089-134686-0000", "1089-134686-0000"),
        ("ann_x-1.a+b=c,d@e", "ann_x-1.a+b=c,d@e"),
        ("ANN-1", "ANN-1"),
        ("s1/u1", "s1%2Fu1"),
        ("../../u1", "%2E.%2F..%2Fu1"),
        (".", "%2E"),
        ("s1%2Fu1", "s1%252Fu1"),
        ("s1-u:12", "s1-u%3A12"),
        ("s1*", "s1%2A"),
        ("x|", "x%7C"),
        ("a~b", "a%7Eb"),
        ("ü", "%C3%BC"),
        ("u\u0308", "u%CC%88"),
        ("s" * 180, "s" * 180),
    ],
)
def test_right_names(name, file_name):
    assert file_name_of(name) == file_name


def test_every_printable_character_makes_its_own_file_and_is_found_again(tmp_path):
    ids = [f"s1-{one}{two}" for one in string.printable.strip() for two in ("", "x", "%", ".", "/")]
    ids += [f"{one}-1" for one in string.printable.strip()]
    ids += ["s1-ü", unicodedata.normalize("NFD", "s1-ü"), "s1-u", "s1-U", "一二", "\U0001f600"]
    ids += ["s" * 181, "s" * 300, "s" * 299 + "t", "s" * 299 + "/"]
    ids = list(dict.fromkeys(ids))
    for name in ids:
        (tmp_path / f".{file_name_of(name)}.0123456789ab.flac").touch()  # as long as a temporary name
        (tmp_path / f"{file_name_of(name)}.flac").write_text(name)
    files = [path for path in tmp_path.glob("*.flac") if not path.name.startswith(".")]
    assert sorted(path.read_text() for path in files) == sorted(ids)
    assert len(list(tmp_path.iterdir())) == 2 * len(ids)


@given(st.lists(st.text(min_size=1).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)), unique=True))
def test_names_differ_where_ids_do_and_stay_in_their_folder(names):
    found = [file_name_of(name) for name in names]
    assert len(set(found)) == len(names)
    for name in found:
        assert len(name.encode()) < 200 and name.isascii() and "/" not in name and not name.startswith(".")
