"""The rules for the values of each known table, and which tables a directory has."""

import pytest

from zspex_toolkit.io.known_tables import rule_of, tables_of


@pytest.mark.parametrize(
    ("table", "value", "complaint"),
    [
        ("utt2spk", b"ann", None),
        ("utt2spk", b"ann bob", "expected 2 fields, got 3"),
        ("utt2spk2", b"ann bob", "expected 2 fields, got 3"),
        ("utt2dur", b"1.25", None),
        ("utt2dur", b"0", "expected a number above 0, got '0'"),
        ("utt2dur", b"nan", "expected a number above 0, got 'nan'"),
        ("reco2dur", b"long", "expected a number above 0, got 'long'"),
        ("utt2num_frames", b"12", None),
        ("utt2num_frames", b"1.5", "expected an integer above 0, got '1.5'"),
        ("utt2num_samples", b"0", "expected an integer above 0, got '0'"),
        ("utt2fs", b"-8000", "expected an integer above 0, got '-8000'"),
        ("spk2gender", b"f", None),
        ("spk2gender", b"female", "expected 'm' or 'f', got 'female'"),
        ("spk2warp", b"1.05", None),
        ("utt2warp", b"1.5", "expected a factor in (0.5, 1.5), got '1.5'"),
        ("wav.scp", b"sph2pipe -f wav ~ann/a.sph |", None),
        ("wav.scp", b"~/a.wav", "expected a full path, '~' is not expanded"),
        ("spk2.scp", b"~/a.wav", "expected a full path, '~' is not expanded"),
        ("reco2file_and_channel", b"sw02001 A", None),
        ("reco2file_and_channel", b"sw02001 1", "expected '<reco> <file> A|B', got 'sw02001 1' after the recording"),
        ("segments", b"r 0.5 1", None),
        ("segments", b"r 0.5 -1", None),
        ("segments", b"r 1 1", "expected 0 <= start < end, got 'r 1 1'"),
        ("segments", b"r 1", "expected 4 fields '<utt> <reco> <start> <end>', got 3"),
        ("segments", b"r one 2", "expected start and end in seconds, got 'r one 2'"),
        ("text", "grüße <laughter> #1".encode(), None),
        ("text", b"a <s> b", "symbol <s> is reserved and not allowed in a transcript"),
        ("text", b"a #0", "symbol #0 is reserved and not allowed in a transcript"),
        ("text", b"a\x07b", "non-printable character U+0007"),
        ("text", "a\u00a0b".encode(), "blank U+00A0 other than space and tab"),
        ("text_spk1", b"</s>", "symbol </s> is reserved and not allowed in a transcript"),
        ("text", b"\xff", "expected UTF-8 text"),
        ("my_own_table", b"what ever", None),
    ],
)
def test_a_value_is_judged_by_its_table(table, value, complaint):
    assert rule_of(table)(value) == complaint


def test_without_segments_a_recording_is_an_utterance(tmp_path):
    for name in ("utt2spk", "wav.scp", "cmvn.scp", "spk3.scp", "enroll_spk1.scp", "plan.jsonl", "notes"):
        (tmp_path / name).touch()
    kinds = {"cmvn.scp": "speaker", "wav.scp": "utterance", "utt2spk": "utterance"}
    assert tables_of(tmp_path) == {**kinds, "spk3.scp": "utterance", "enroll_spk1.scp": "utterance"}
    (tmp_path / "segments").touch()
    assert tables_of(tmp_path)["wav.scp"] == "recording"
