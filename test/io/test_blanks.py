"""One definition of a blank and of a table's text, for every reader, checker and writer."""

import codecs

import numpy as np
import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.blanks import is_id, read_lines
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.fix import Config, fix_data_dir
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.validate import validate_data_dir

ODD = {
    "U+00A0 (no-break space)": "\u00a0",
    "U+3000 (ideographic space)": "\u3000",
    "U+2003 (em space)": "\u2003",
    "U+2028 (line separator)": "\u2028",
    "U+0085 (control character)": "\x85",
    "U+000B (control character)": "\x0b",
    "U+000C (control character)": "\x0c",
    "U+001D (control character)": "\x1d",
    "U+0000 (control character)": "\0",
    "U+007F (control character)": "\x7f",
    "U+FEFF (zero width no-break space)": "\ufeff",
}
GOOD_IDS = ["s1-ü1", "s1-u=1", "s1-u:1", "s1-\U0001f600", "s1-u\u0308", "-s1", "s1*", "一二", "a/b"]


@pytest.mark.parametrize(("name", "character"), ODD.items())
def test_a_character_that_is_no_blank_of_ours_is_one_fault_everywhere(data, tmp_path, name, character):
    key = f"ann{character}-1"
    assert not is_id(key)
    (data / "wav.scp").write_text((data / "wav.scp").read_text().replace("ann-1 ", f"{key} "))
    told = [str(fault) for fault in validate_data_dir(data) if name in str(fault)]
    assert told and told[0].startswith(f"{data}/wav.scp:1: ")
    with pytest.raises(DataDirError, match=rf"wav\.scp:1: {name[:6].replace('+', '[+]')}"):
        read_table(data / "wav.scp")
    with pytest.raises(DataDirError, match=r"wav\.scp:1: "):  # so that nothing begins that cannot end
        DataDir.load(data)
    with pytest.raises(DataDirError, match="expected a key without blanks"):
        write_table(tmp_path / "t", {key: "x"})
    with pytest.raises(DataDirError, match="expected a key without blanks"), ArchiveWriter(tmp_path / "a.ark") as ark:
        ark[key] = np.zeros(3)


@pytest.mark.parametrize(("name", "character"), ODD.items())
@pytest.mark.parametrize("table", ["utt2spk", "spk2utt", "spk2gender", "utt2lang"])
def test_values_that_are_words_hold_none_either(data, table, name, character):
    (data / "utt2lang").write_text("ann-1 en\nann-2 en\nbob-1 en\nbob-2 en\n")
    lines = (data / table).read_text().splitlines()
    (data / table).write_text("\n".join([lines[0] + character + "x", *lines[1:]]) + "\n")
    assert any(f"{table}:1: " in str(fault) for fault in validate_data_dir(data))
    with pytest.raises(DataDirError, match=f"{table}:1: "):
        read_table(data / table)


@pytest.mark.parametrize("key", GOOD_IDS)
def test_other_characters_make_good_ids(tmp_path, key):
    assert is_id(key)
    write_table(tmp_path / "t", {key: "x"})
    assert read_table(tmp_path / "t") == {key: "x"}


def test_a_path_may_hold_any_blank(tmp_path):
    write_table(tmp_path / "wav.scp", {"u": "my\u00a0own file\u3000.wav"})
    assert read_table(tmp_path / "wav.scp") == {"u": "my\u00a0own file\u3000.wav"}


def utf16(text, order):
    return {"le": codecs.BOM_UTF16_LE, "be": codecs.BOM_UTF16_BE}[order] + text.encode(f"utf-16-{order}")


ENCODINGS = {
    "byte order mark": (lambda text: codecs.BOM_UTF8 + text.encode(), "byte order mark", "byte order mark removed"),
    "utf-16 le": (lambda text: utf16(text, "le"), "found UTF-16", "converted from UTF-16"),
    "utf-16 be": (lambda text: utf16(text, "be"), "found UTF-16", "converted from UTF-16"),
    "windows": (lambda text: text.replace("\n", "\r\n").encode(), "carriage return", "carriage returns removed"),
    "no last newline": (lambda text: text[:-1].encode(), "expected a newline", "newline added at its end"),
}


@pytest.mark.parametrize("table", ["wav.scp", "utt2spk", "text", "spk2gender", "utt2num_samples"])
@pytest.mark.parametrize("kind", ENCODINGS)
def test_text_of_another_form_is_named_and_mended_without_a_loss(data, table, kind):
    encode, fault, done = ENCODINGS[kind]
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    (data / table).write_bytes(encode((data / table).read_text()))
    faults = [str(each) for each in validate_data_dir(data)]
    assert faults and all(each.startswith(f"{data}/{table}:") and fault in each for each in faults)
    with pytest.raises(DataDirError, match=rf"{table}:\d: .*{fault}"):
        read_table(data / table)
    repair = fix_data_dir(Config(data))
    assert repair.num_after == 4 and repair.dropped == []
    assert f"{table}: {done}" in repair.summary()
    assert {name: (data / name).read_bytes() for name in before} == before


def test_carriage_returns_alone_and_latin_1_are_named(tmp_path):
    (tmp_path / "t").write_bytes(b"a 1\rb 2\r")
    with pytest.raises(DataDirError, match="t:1: expected Unix line ends, got carriage returns alone"):
        read_table(tmp_path / "t")
    (tmp_path / "t").write_bytes(b"a 1\nb caf\xe9\n")
    with pytest.raises(DataDirError, match="t:2: expected UTF-8 text, found byte 0xe9; is it Latin-1"):
        read_table(tmp_path / "t")


def test_lists_of_people_may_have_windows_line_ends_but_no_mark(tmp_path):
    (tmp_path / "list").write_bytes("a\u2028b\r\nc".encode())
    assert read_lines(tmp_path / "list") == ["a\u2028b", "c"]
    (tmp_path / "list").write_bytes(codecs.BOM_UTF8 + b"a\n")
    with pytest.raises(DataDirError, match="list:1: begins with a byte order mark"):
        read_lines(tmp_path / "list")
