"""All tables together: cut down, and written completely or not at all."""

import itertools
import os

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io import table_set
from zspex_toolkit.io.table_set import keep_utterances, read_tables, write_tables


def test_reading_and_writing_gives_the_same_directory(data, tmp_path, content):
    tables, kinds = read_tables(data)
    assert kinds["spk2gender"] == "speaker"
    write_tables(tmp_path / "out", tables)
    assert content(tmp_path / "out") == content(data)


def test_speakers_and_recordings_follow_their_utterances(data):
    (data / "segments").write_text("ann-1 ann-2 0 1\nann-2 ann-2 0 1\nbob-1 bob-1 0 1\nbob-2 bob-2 0 1\n")
    kept = keep_utterances(*read_tables(data), ["ann-1", "bob-2"])
    assert list(kept["utt2spk"]) == ["ann-1", "bob-2"]
    assert list(kept["wav.scp"]) == ["ann-2", "bob-2"]
    assert list(keep_utterances(*read_tables(data), ["bob-1"])["spk2gender"]) == ["bob"]


def test_an_invalid_set_is_not_written(data, tmp_path):
    tables, _ = read_tables(data)
    del tables["text"]["bob-1"]
    with pytest.raises(DataDirError) as error:
        write_tables(tmp_path / "new" / "out", tables)
    assert str(error.value) == f"{tmp_path}/new/out/text: no line for 'bob-1' (utt2spk:3); nothing was written"
    assert os.listdir(tmp_path / "new") == []


def test_a_full_disk_leaves_the_old_directory(data, content, monkeypatch):
    before = content(data.parent)
    tables, _ = read_tables(data)
    write_table = table_set.write_table

    def full(path, table, **options):
        if path.name == "wav.scp":
            raise OSError(28, "No space left on device")
        write_table(path, table, **options)

    monkeypatch.setattr(table_set, "write_table", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_tables(data, keep_utterances(tables, read_tables(data)[1], ["ann-1"]))
    assert content(data.parent) == before


WRITE = """
from zspex_toolkit.io.table_set import keep_utterances, read_tables, write_tables
data, out, *utterances = sys.argv[1:]
write_tables(out, keep_utterances(*read_tables(data), utterances))
"""


@pytest.mark.parametrize("before", [(), ("ann-1", "ann-2")])
def test_killed_at_any_renaming_writing_again_gives_the_whole_and_leaves_nothing_else(
    data, tmp_path, content, killed_at_renaming, before
):
    killed_at_renaming(0, WRITE, data, tmp_path / "whole", "ann-2", "bob-1")
    for number in itertools.count(1):
        out = tmp_path / str(number) / "out"
        if before:
            write_tables(out, keep_utterances(*read_tables(data), before))
        if not killed_at_renaming(number, WRITE, data, out, "ann-2", "bob-1"):
            break
        assert len(os.listdir(out.parent)) > bool((out / "utt2spk").exists())
        killed_at_renaming(0, WRITE, data, out, "ann-2", "bob-1")
        assert os.listdir(out.parent) == ["out"] and content(out) == content(tmp_path / "whole")
    assert number > len(content(tmp_path / "whole"))


def test_tables_made_from_other_audio_go_and_foreign_files_stay(data):
    (data / "feats.scp").write_text("".join(f"{utt} a.ark:7\n" for utt in read_tables(data)[0]["utt2spk"]))
    (data / "notes").write_text("mine")
    tables, kinds = read_tables(data)
    del tables["feats.scp"]
    write_tables(data, tables)
    assert (data / "feats.scp").exists()
    write_tables(data, keep_utterances(tables, kinds, ["ann-1", "ann-2"]))
    assert not (data / "feats.scp").exists()
    assert (data / "notes").read_text() == "mine"


def test_a_malformed_plan_is_named_with_its_line(data):
    (data / "plan.jsonl").write_text('{"id": "ann-1"}\n{"name": "ann-2"}\n')
    with pytest.raises(
        DataDirError, match=r"plan\.jsonl:2: expected a JSON object with an 'id', got '\{\"name\": \"ann-2\"\}'"
    ):
        read_tables(data)


def test_a_directory_without_utt2spk_is_none(tmp_path):
    with pytest.raises(DataDirError, match="utt2spk: no such file"):
        read_tables(tmp_path)
