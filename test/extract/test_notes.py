"""Notes outlive the process that made them, whole."""

import os

from zspex_toolkit.extract.notes import TrialNote, append_note, merge_notes, read_notes


def note(trial, energy=-3.0):
    return TrialNote(trial, [energy], [None], 1.5, -20.0, -23.0, 4.0, 0.25)


def test_notes_are_read_back_by_trial(tmp_path):
    append_note(tmp_path, note("b"))
    append_note(tmp_path, note("a"))
    assert read_notes(tmp_path) == {"a": note("a"), "b": note("b")}


def test_a_line_cut_off_by_a_kill_is_passed_over(tmp_path):
    append_note(tmp_path, note("a"))
    (part,) = tmp_path.glob("trials.*.jsonl")
    part.write_text(part.read_text() + '{"id": "b", "energy_db"')
    assert set(read_notes(tmp_path)) == {"a"}
    part.write_text('{"id": "b"}\n')
    assert read_notes(tmp_path) == {}


def test_merging_leaves_one_sorted_file_and_a_later_note_wins(tmp_path):
    merge_notes(tmp_path, {"c": note("c"), "a": note("a")})
    append_note(tmp_path, note("a", -9.0))
    merge_notes(tmp_path, read_notes(tmp_path))
    assert os.listdir(tmp_path) == ["trials.jsonl"]
    assert [line[8] for line in (tmp_path / "trials.jsonl").read_text().splitlines()] == ["a", "c"]
    assert read_notes(tmp_path)["a"].energy_db == [-9]
