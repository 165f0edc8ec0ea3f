"""Fixing makes a directory valid, says what went and why, and loses nothing."""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io import fix
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.fix import Config, fix_data_dir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.io.write import write_data_dir


def dropped(data) -> list[str]:
    return (data / "dropped.txt").read_text().splitlines()


def test_a_sound_directory_is_left_as_it_is(data, content):
    before = content(data)
    repair = fix_data_dir(Config(data))
    assert (repair.num_before, repair.num_after, repair.changed) == (4, 4, [])
    assert repair.summary() == ["kept all 4 utterances, nothing to change"]
    assert content(data) == before


def test_every_line_that_cannot_be_read_is_explained(data):
    sound = b"ann-1 ann\n\n ann-2\tann\r\nbob-1 bob\nbob-2 bob"
    (data / "utt2spk").write_bytes(sound + b"\nc-1\nd-1 d d\nbob-1 bob\nbob-1 x\ne-1 \xff")
    (data / "text").write_text("ann-1\nann-2 words\nbob-1 a\nbob-2 b\n")  # an utterance may have no words
    assert fix_data_dir(Config(data)).num_after == 4
    assert dropped(data) == [
        "c-1 malformed line of utt2spk: line 6: no value",
        "d-1 malformed line of utt2spk: line 7: expected 2 fields, got 3",
        "bob-1 repeated key in utt2spk: line 8: the same again",
        "bob-1 repeated key in utt2spk: line 9: another value, the first was kept",
        "e-1 malformed line of utt2spk: line 10: not UTF-8",
    ]
    assert (data / "text").read_text() == "ann-1\nann-2 words\nbob-1 a\nbob-2 b\n"


def test_an_utterance_that_one_table_lacks_goes_from_all(data):
    (data / "text").write_text("ann-1 a\nann-2 b\nbob-2 d\n")
    repair = fix_data_dir(Config(data))
    assert validate_data_dir(data, check_audio=True) == []
    assert list(read_table(data / "wav.scp")) == ["ann-1", "ann-2", "bob-2"]
    assert dropped(data) == ["bob-1 not in text"]
    assert repair.summary() == [
        "kept 3 utterances out of 4; rewrote spk2utt, utt2num_samples, utt2spk, wav.scp",
        "dropped 1: not in text",
        f"old files are kept in {data}/.backup",
    ]


def test_unsorted_files_with_foreign_line_ends_are_mended_without_loss(data):
    for name in ("utt2spk", "text", "wav.scp", "spk2gender"):
        lines = (data / name).read_text().splitlines()
        (data / name).write_bytes("\r\n".join(reversed(lines)).encode())
    (data / "spk2utt").unlink()
    repair = fix_data_dir(Config(data))
    assert validate_data_dir(data, check_audio=True) == []
    assert (repair.num_after, repair.dropped) == (4, [])
    assert read_table(data / "text")["bob-2"] == "WORDS OF BOB-2"


def test_a_speaker_without_gender_goes_with_its_utterances(data):
    (data / "spk2gender").write_text("ann f\nbob male\n")
    fix_data_dir(Config(data))
    assert list(read_table(data / "utt2spk")) == ["ann-1", "ann-2"]
    assert dropped(data) == [
        "bob malformed line of spk2gender: line 2: expected 'm' or 'f', got 'male'",
        "bob-1 its speaker is not in spk2gender",
        "bob-2 its speaker is not in spk2gender",
    ]


def test_a_mixture_without_its_second_source_goes(data):
    (data / "spk2.scp").write_text("ann-1 a.wav\nann-2 b.wav\nbob-1 c.wav\n")
    fix_data_dir(Config(data))
    assert dropped(data) == ["bob-2 not in spk2.scp"]
    assert "bob-2" not in read_table(data / "utt2spk")


def test_the_plan_follows_its_mixtures(data):
    (data / "plan.jsonl").write_text("".join(f'{{"id": "{utt}", "fs": 1}}\n' for utt in read_table(data / "utt2spk")))
    (data / "text").write_text("ann-1 a\n")
    fix_data_dir(Config(data))
    assert (data / "plan.jsonl").read_text() == '{"id": "ann-1", "fs": 1}\n'


def test_segments_and_recordings_are_fitted_to_each_other(data):
    wavs = read_table(data / "wav.scp")
    write_data_dir(
        data.parent / "cut",
        wavs={"one": wavs["ann-1"], "two": wavs["ann-2"], "three": wavs["bob-1"]},
        utt2spk={"ann-1": "ann", "ann-2": "ann", "bob-1": "bob"},
        segments={"ann-1": ("one", 0, 0.2), "ann-2": ("two", 0, 0.2), "bob-1": ("three", 0.1, 0.2)},
    )
    cut = data.parent / "cut"
    (cut / "wav.scp").write_text(f"four x.wav\none {wavs['ann-1']}\nthree {wavs['bob-1']}\n")
    (cut / "segments").write_text("ann-1 one 0 0.2\nann-2 two 0 0.2\nbob-1 three 0.2 0.1\n")
    fix_data_dir(Config(cut))
    assert validate_data_dir(cut, check_audio=True) == []
    assert dropped(cut) == [
        "bob-1 malformed line of segments: line 3: expected 0 <= start < end, got 'three 0.2 0.1'",
        "bob-1 not in segments",
        "ann-2 its recording is not in wav.scp",
        "four no utterance left for this line of wav.scp",
        "three no utterance left for this line of wav.scp",
    ]


def test_lines_of_unknown_utterances_are_dropped_and_named(data):
    (data / "text").write_text((data / "text").read_text() + "zoe-1 words\n")
    fix_data_dir(Config(data))
    assert dropped(data) == ["zoe-1 in text but not in utt2spk"]


def test_extra_files_are_treated_like_the_known_ones(data):
    (data / "utt2topic").write_text("ann-1 cars\nann-2 cars\nbob-1 food\n")
    fix_data_dir(Config(data, utt_extra_files=("utt2topic",)))
    assert dropped(data) == ["bob-2 not in utt2topic"]
    with pytest.raises(DataDirError, match="utt2mood: no such file"):
        fix_data_dir(Config(data, utt_extra_files=("utt2mood",)))


def test_faulty_audio_goes_when_asked_for(data, noise):
    wavs = read_table(data / "wav.scp")
    os.unlink(wavs["ann-1"])
    write_audio(wavs["bob-2"], noise(12799), 16000)
    assert fix_data_dir(Config(data)).changed == []
    fix_data_dir(Config(data, check_audio=True))
    assert list(read_table(data / "utt2spk")) == ["ann-2", "bob-1"]
    assert dropped(data) == [
        f"ann-1 unreadable audio: {wavs['ann-1']}: no such file or directory",
        "bob-2 length differs from the audio's: 'bob-2' has 12799 samples, not 12800",
    ]


def test_old_files_are_kept_at_every_fix(data):
    original = (data / "text").read_bytes()
    (data / "wav.scp").write_text("".join(f"{line}\n" for line in (data / "wav.scp").read_text().splitlines()[1:]))
    fix_data_dir(Config(data))
    (data / "wav.scp").write_text("".join(f"{line}\n" for line in (data / "wav.scp").read_text().splitlines()[1:]))
    fix_data_dir(Config(data))
    assert (data / ".backup" / "text").read_bytes() == original
    assert list(read_table(data / ".backup.2" / "text")) == ["ann-2", "bob-1", "bob-2"]
    assert (data / ".backup.2" / "dropped.txt").read_text() == "ann-1 not in wav.scp\n"
    assert list(read_table(data / "text")) == ["bob-1", "bob-2"]


def test_where_no_utterance_would_remain_nothing_is_changed(data, content):
    (data / "text").write_text("zoe-1 words\n")
    before = content(data)
    with pytest.raises(DataDirError) as error:
        fix_data_dir(Config(data))
    message = f"{data}: no utterances remained, nothing was changed; first dropped: ann-1 not in text"
    assert str(error.value) == message
    assert content(data) == before


def test_speakers_that_are_no_prefixes_are_refused_and_nothing_is_changed(data, content):
    (data / "utt2spk").write_text("ann-1 bob\nann-2 ann\nbob-1 bob\nbob-2 bob\n")
    before = content(data)
    with pytest.raises(
        DataDirError, match="utt2spk:2: not sorted by speaker: 'ann' comes after 'bob'; make speaker ids"
    ):
        fix_data_dir(Config(data))
    assert content(data) == before


def test_a_full_disk_changes_nothing(data, content, monkeypatch):
    (data / "text").write_text("ann-1 a\n")
    before = content(data)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fix, "write_tables", full)
    with pytest.raises(OSError, match="No space left on device"):
        fix_data_dir(Config(data))
    assert content(data) == before


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_whatever_was_done_to_a_directory_it_is_valid_after_or_unchanged(seed, tmp_path_factory, content):
    rng = random.Random(seed)
    data = tmp_path_factory.mktemp("f") / "data"
    utts = [f"{spk}-{number}" for spk in ("ann", "bob", "cat") for number in range(3)]
    write_data_dir(
        data,
        wavs={utt: f"{utt}.wav" for utt in utts},
        utt2spk={utt: utt[:3] for utt in utts},
        text=dict.fromkeys(utts, "a b"),
        spk2gender={"ann": "f", "bob": "m", "cat": "f"},
    )
    for _ in range(rng.randint(1, 6)):
        path = data / rng.choice(["wav.scp", "utt2spk", "text", "spk2gender", "spk2utt"])
        lines = path.read_bytes().split(b"\n")
        where = rng.randrange(len(lines))
        harm = rng.randrange(5)
        if harm == 0:
            del lines[where]
        elif harm == 1:
            lines.insert(where, rng.choice(lines))
        elif harm == 2:
            rng.shuffle(lines)
        elif harm == 3:
            lines[where] = lines[where][: rng.randrange(len(lines[where]) + 1)]
        else:
            lines[where] += rng.choice([b"\r", b" x", b" \xff", b" <s>"])
        path.write_bytes(b"\n".join(lines))
    before = content(data)
    try:
        fix_data_dir(Config(data))
    except DataDirError:
        assert content(data) == before
    else:
        assert validate_data_dir(data) == []
