"""The rules for the values of each known table, which tables a directory has, and which trials may lack lines."""

import pytest

from zspex_toolkit.io.fix import Config, fix_data_dir
from zspex_toolkit.io.known_tables import is_trial_dir, may_lack, rule_of, tables_of
from zspex_toolkit.io.number_text import decimal, whole_number
from zspex_toolkit.io.table import write_table
from zspex_toolkit.io.validate import check_data_dir

NO_NUMBERS = [
    "inf",
    "-inf",
    "Infinity",
    "nan",
    "1e400",
    "1e300",
    "1_0",
    "0x10",
    "٣",
    "½",
    "1,5",
    "1.5s",
    "--1",
    ".",
    "1e",
    "9" * 5000,
]


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize(
    ("table", "before"),
    [
        *(("segments", "r 0 "), ("segments", "r "), ("utt2dur", ""), ("reco2dur", ""), ("utt2warp", "")),
        *(("spk2warp", ""), ("utt2num_frames", ""), ("utt2num_samples", ""), ("utt2fs", "")),
    ],
)
def test_numbers_of_every_table_are_spelt_as_kaldi_does(table, before, text):
    value = f"{before}{text} 1" if before == "r " else before + text
    assert rule_of(table)(value.encode())


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("+1.50", 1.5), (".5", 0.5), ("2.", 2), ("1e-3", 0.001)])
def test_kaldi_s_spellings_are_taken(text, number):
    assert decimal(text) == decimal(f" {text}\t".encode()) == number
    assert rule_of("utt2dur")(text.encode()) is None


def test_whole_numbers_are_digits():
    assert [whole_number(text) for text in ("0", b"12 ", "9" * 18)] == [0, 12, 10**18 - 1]
    for text in (*NO_NUMBERS, "-1", "+1", "1.0", "1e3", "9" * 19):
        with pytest.raises(ValueError, match="expected a whole number, got"):
            whole_number(text)


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


TRIALS = {"ann-1": "present", "ann-2": "single", "bob-1": "absent"}


@pytest.fixture
def trials(tmp_path):
    """Tables alone, of a trial of each condition; cyd and dan are heard but never asked for."""
    path = tmp_path / "trials"
    tables = {
        **{name: dict.fromkeys(TRIALS, "x.wav") for name in ("wav.scp", "spk1.scp", "enroll_spk1.scp")},
        "utt2spk": {trial: trial[:3] for trial in TRIALS},
        "spk2utt": {"ann": "ann-1 ann-2", "bob": "bob-1"},
        "spk2gender": {"ann": "f", "bob": "m", "cyd": "m", "dan": "m"},
        "utt2condition": TRIALS,
        "spk2.scp": {"ann-1": "x.wav", "bob-1": "x.wav"},
        "utt2spk2": {"ann-1": "cyd", "bob-1": "cyd"},
        "spk3.scp": {"bob-1": "x.wav"},
        "utt2spk3": {"bob-1": "dan"},
    }
    for name, table in tables.items():
        write_table(path / name, table)
    return path


def faults_of(path) -> list[str]:
    return [str(fault).replace(f"{path}/", "") for fault in check_data_dir(path).faults]


def without(path, name, trial):
    lines = (path / name).read_text().splitlines(keepends=True)
    (path / name).write_text("".join(line for line in lines if not line.startswith(trial)))


def test_lines_that_a_condition_has_no_use_for_may_be_missing(trials):
    assert is_trial_dir(trials) and faults_of(trials) == []


@pytest.mark.parametrize("name", ["spk1.scp", "enroll_spk1.scp", "wav.scp"])
def test_a_trial_without_mixture_reference_or_enrollment_is_named(trials, name):
    without(trials, name, "ann-2")
    assert faults_of(trials) == [f"{name}: no line for 'ann-2' (utt2spk:2)"]
    (trials / name).unlink()
    assert faults_of(trials) == [f"{name}: no such file"]


def test_an_interferer_that_should_be_there_is_named(trials):
    without(trials, "spk2.scp", "ann-1")
    without(trials, "utt2spk3", "bob-1")
    write_table(trials / "utt2spk3", {"ann-1": "dan"})
    assert faults_of(trials) == [
        "spk2.scp: no line for 'ann-1' (utt2spk:1)",
        "utt2spk3: no line for 'bob-1' (utt2spk:3)",
    ]


def test_a_gender_of_someone_who_is_never_heard_is_named(trials):
    write_table(trials / "spk2gender", {"ann": "f", "bob": "m", "eve": "f"})
    assert faults_of(trials) == ["spk2gender:3: 'eve' is not in spk2utt"]


def test_an_unknown_condition_is_named(trials):
    write_table(trials / "utt2condition", {**TRIALS, "bob-1": "gone"})
    assert faults_of(trials)[0] == "utt2condition:3: expected 'present', 'absent' or 'single', got 'gone'"


def test_directories_without_conditions_need_every_line(trials):
    (trials / "utt2condition").unlink()
    assert not is_trial_dir(trials)
    assert "spk2.scp: no line for 'ann-2' (utt2spk:2)" in faults_of(trials)


def test_fixing_drops_the_trials_that_lack_what_they_need(trials):
    without(trials, "enroll_spk1.scp", "bob-1")
    fix_data_dir(Config(trials))
    assert (trials / "utt2condition").read_text() == "ann-1 present\nann-2 single\n"
    assert not (trials / "spk3.scp").exists() and (trials / ".backup" / "spk3.scp").exists()
    assert faults_of(trials) == []


def test_every_interferer_counts_as_a_speaker_of_the_set(trials, tmp_path):
    write_table(tmp_path / "train" / "utt2spk", {"dan-1": "dan"})
    faults = [str(fault) for fault in check_data_dir(trials, other=tmp_path / "train").faults]
    assert faults == [f"{trials}/utt2spk3:1: speaker 'dan' is also in {tmp_path}/train"]


def test_noise_may_be_missing_anywhere():
    assert all(may_lack("noise1.scp", condition) for condition in (b"present", b"absent", b"single"))
