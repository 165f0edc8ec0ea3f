"""Every fault that Kaldi's validate_data_dir.sh finds, with file and line, and some that it does not look for."""

import subprocess
import sys

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.validate import check_data_dir, validate_data_dir


def faults_of(data, **options) -> list[str]:
    return [str(fault).removeprefix(f"{data}/") for fault in validate_data_dir(data, **options)]


def warnings_of(data) -> list[str]:
    return [str(warning).removeprefix(f"{data}/") for warning in check_data_dir(data).warnings]


def replace(data, name: str, content: str) -> None:
    (data / name).write_text(content)


def test_a_sound_directory_has_no_fault_and_is_counted(data):
    findings = check_data_dir(data, check_audio=True, require=("wav.scp", "text"))
    assert (findings.faults, findings.warnings) == ([], [])
    assert (findings.num_utterances, findings.num_speakers) == (4, 2)


@pytest.mark.parametrize("name", ["utt2spk", "spk2utt", "wav.scp"])
def test_a_missing_file_is_a_fault(data, name):
    (data / name).unlink()
    assert f"{name}: no such file" in faults_of(data)


@pytest.mark.parametrize("name", ["utt2spk", "spk2utt", "wav.scp", "text"])
def test_an_empty_file_is_a_fault(data, name):
    replace(data, name, "")
    assert f"{name}: empty file" in faults_of(data)


def test_what_is_required_must_be_there(data):
    assert faults_of(data, require=("text", "feats.scp")) == ["feats.scp: no such file"]


def test_segments_need_a_wav_scp_whatever_is_required(data):
    (data / "wav.scp").rename(data / "segments")
    assert "wav.scp: no such file" in faults_of(data, require=())


ALL = ("ann-1", "ann-2", "bob-1", "bob-2")


def lines(*values: str) -> str:
    return "".join(f"{utt} {value}\n" for utt, value in zip(ALL, values, strict=True))


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("utt2spk", "ann-1 ann x\nann-2 ann\nbob-1 bob\nbob-2 bob\n", "utt2spk:1: expected 2 fields, got 3"),
        (
            "utt2spk",
            "ann-1 ann\nbob-1 bob\nann-2 ann\nbob-2 bob\n",
            "utt2spk:3: not sorted: 'ann-2' comes after 'bob-1'; sort it with LC_ALL=C",
        ),
        (
            "utt2spk",
            "ann-1 bob\nann-2 ann\nbob-1 bob\nbob-2 bob\n",
            "utt2spk:2: not sorted by speaker: 'ann' comes after "
            "'bob'; make speaker ids prefixes of utterance ids, joined with '-'",
        ),
        ("spk2utt", "ann ann-1 ann-2\nbob bob-1\n", "spk2utt:2: 'bob-2' of 'bob' is missing, utt2spk has it"),
        (
            "spk2utt",
            "ann ann-1 ann-2 bob-2\nbob bob-1 bob-2\n",
            "spk2utt:1: 'bob-2' is not an utterance of 'ann' in utt2spk",
        ),
        (
            "spk2utt",
            "ann ann-2 ann-1\nbob bob-1 bob-2\n",
            "spk2utt:1: utterances of 'ann' are repeated or in another order than in utt2spk",
        ),
        (
            "spk2utt",
            "bob bob-1 bob-2\nann ann-1 ann-2\n",
            "spk2utt:2: not sorted: 'ann' comes after 'bob'; sort it with LC_ALL=C",
        ),
        ("spk2utt", "ann ann-1 ann-2\n", "spk2utt: no line for 'bob' (utt2spk's speakers:2)"),
        ("text", "ann-1 a\nann-2 b\nbob-2 d\n", "text: no line for 'bob-1' (utt2spk:3)"),
        ("text", lines("a", "b", "c", "d") + "zoe-1 e\n", "text:5: 'zoe-1' is not in utt2spk"),
        ("text", lines("a", "b", "c", "d")[:-1], "text:4: expected a newline at the end of the last line"),
        ("text", lines("a", "b <s>", "c", "d"), "text:2: symbol <s> is reserved and not allowed in a transcript"),
        (
            "text",
            "ann-1 a\nann-1 b\nann-2 b\nbob-1 c\nbob-2 d\n",
            "text:2: duplicate key 'ann-1', first seen on line 1",
        ),
        ("wav.scp", lines("a", "b", "~/c.wav", "d"), "wav.scp:3: expected a full path, '~' is not expanded"),
        ("wav.scp", "ann-1 a\nann-2 b\nbob-1\nbob-2 d\n", "wav.scp:3: expected '<key> <value>', got 'bob-1'"),
        ("wav.scp", "ann-1 a\n\nann-2 b\nbob-1 c\nbob-2 d\n", "wav.scp:2: expected '<key> <value>', got an empty line"),
        ("segments", "ann-1 ann-1 0 1\n", "segments: no line for 'ann-2' (utt2spk:2)"),
        (
            "segments",
            lines("ann-1 0 1", "ann-2 0 1", "bob-1 2 1", "bob-2 0 1"),
            "segments:3: expected 0 <= start < end, got 'bob-1 2 1'",
        ),
        (
            "segments",
            lines("ann-1 0 1", "ann-2 0 1", "bob-1 0", "bob-2 0 1"),
            "segments:3: expected 4 fields '<utt> <reco> <start> <end>', got 3",
        ),
        (
            "segments",
            lines("ann-1 0 1", "ann-2 0 1", "bob-1 0 1", "bob-1 1 2"),
            "wav.scp:4: 'bob-2' is not in segments",
        ),
        (
            "segments",
            lines("ann-1 0 1", "ann-2 0 1", "bob-1 0 1", "tape-7 1 2"),
            "wav.scp: no line for 'tape-7' (segments:4)",
        ),
        (
            "reco2file_and_channel",
            lines("f A", "f A", "f 1", "f A"),
            "reco2file_and_channel:3: expected '<reco> <file> A|B', got 'f 1' after the recording",
        ),
        ("feats.scp", "ann-1 a.ark:7\n", "feats.scp: no line for 'ann-2' (utt2spk:2)"),
        (
            "vad.scp",
            lines("a:1", "a:2", "a:3", "a:4").replace("bob-2", "bob-3"),
            "vad.scp:4: 'bob-3' is not in utt2spk",
        ),
        ("utt2lang", "ann-1 en\n", "utt2lang: no line for 'ann-2' (utt2spk:2)"),
        ("utt2uniq", "ann-1 en\n", "utt2uniq: no line for 'ann-2' (utt2spk:2)"),
        ("cmvn.scp", "ann a.ark:7\n", "cmvn.scp: no line for 'bob' (spk2utt:2)"),
        ("spk2gender", "ann f\nbob male\n", "spk2gender:2: expected 'm' or 'f', got 'male'"),
        ("spk2gender", "ann f\nbob m\nzoe f\n", "spk2gender:3: 'zoe' is not in spk2utt"),
        ("spk2warp", "ann 1.0\nbob 2.0\n", "spk2warp:2: expected a factor in (0.5, 1.5), got '2.0'"),
        ("utt2warp", lines("1", "1", "1", "0.5"), "utt2warp:4: expected a factor in (0.5, 1.5), got '0.5'"),
        ("utt2dur", lines("1.5", "0", "1.5", "1.5"), "utt2dur:2: expected a number above 0, got '0'"),
        ("utt2num_frames", lines("1", "2", "3", "4.5"), "utt2num_frames:4: expected an integer above 0, got '4.5'"),
        ("reco2dur", lines("1.5", "2", "-3", "1"), "reco2dur:3: expected a number above 0, got '-3'"),
        ("utt2num_samples", lines("1", "2", "x", "4"), "utt2num_samples:3: expected an integer above 0, got 'x'"),
        ("utt2spk2", lines("bob", "bob", "ann ann", "ann"), "utt2spk2:3: expected 2 fields, got 3"),
        ("enroll_spk1.scp", "ann-1 a.wav\n", "enroll_spk1.scp: no line for 'ann-2' (utt2spk:2)"),
    ],
)
def test_each_fault_is_found_where_it_is(data, name, content, fault):
    replace(data, name, content)
    assert fault in faults_of(data)


@pytest.mark.parametrize("separator", ["\t", "  "])
def test_mixed_separators_break_kaldi_s_order_by_speaker(data, separator):
    replace(data, "utt2spk", f"ann-1 ann\nann-2{separator}ann\nbob-1 bob\nbob-2{separator}bob\n")
    assert faults_of(data) == ["utt2spk:2: expected one blank between utterance and speaker, as on other lines"]
    replace(data, "utt2spk", f"ann-1{separator}ann\nann-2{separator}ann\nbob-1{separator}bob\nbob-2{separator}bob\n")
    assert faults_of(data) == []


def test_all_faults_of_a_run_are_reported(data):
    replace(data, "text", "ann-1 a\nbob-1 <s>\nann-2 b\n")
    replace(data, "spk2gender", "ann x\n")
    assert faults_of(data) == [
        "spk2gender:1: expected 'm' or 'f', got 'x'",
        "spk2gender: no line for 'bob' (spk2utt:2)",
        "text:2: symbol <s> is reserved and not allowed in a transcript",
        "text:3: not sorted: 'ann-2' comes after 'bob-1'; sort it with LC_ALL=C",
        "text: no line for 'bob-2' (utt2spk:4)",
    ]


def test_many_faults_of_a_kind_are_counted(data):
    replace(data, "text", "".join(f"zoe-{number:02d} a\n" for number in range(30)))
    faults = faults_of(data)
    assert "text: 20 more of the kind: key that is not in utt2spk" in faults
    assert len(faults) == 10 + 1 + 4


def test_the_order_by_speaker_can_be_waived(data):
    replace(data, "utt2spk", "ann-1 bob\nann-2 ann\nbob-1 bob\nbob-2 bob\n")
    replace(data, "spk2utt", "ann ann-2\nbob ann-1 bob-1 bob-2\n")
    assert faults_of(data, no_spk_sort=True) == []


def test_what_is_odd_but_usable_is_a_warning(data):
    replace(data, "utt2spk", "ann-1 zoe\nann-2 zoe\nbob-1 zoe\nbob-2 zoe\n")
    replace(data, "spk2utt", "zoe ann-1 ann-2 bob-1 bob-2\n")
    (data / "spk2gender").unlink()
    assert faults_of(data) == []
    assert "utt2spk: only one speaker, 'zoe'" in warnings_of(data)
    assert "utt2spk:1: speaker 'zoe' is no prefix of utterance 'ann-1'" in warnings_of(data)


def test_a_speaker_with_a_single_utterance_is_a_warning(data):
    for name, content in {
        "utt2spk": "ann-1 ann\nbob-1 bob\nbob-2 bob\n",
        "spk2utt": "ann ann-1\nbob bob-1 bob-2\n",
    }.items():
        replace(data, name, content)
    assert "spk2utt: 1 speaker(s) with a single utterance: ann" in warnings_of(data)


def test_speakers_shared_with_another_directory_are_faults(data, tmp_path):
    (tmp_path / "train").mkdir()
    replace(tmp_path / "train", "utt2spk", "bob-7 bob\nzoe-1 zoe\n")
    replace(data, "utt2spk2", lines("zoe", "zoe", "kim", "kim"))
    assert faults_of(data, other=tmp_path / "train") == [
        f"utt2spk:3: speaker 'bob' is also in {tmp_path}/train",
        f"utt2spk2:1: speaker 'zoe' is also in {tmp_path}/train",
    ]


def test_a_missing_directory_is_one_line(data, tmp_path):
    with pytest.raises(DataDirError, match="nope: no such data directory"):
        validate_data_dir(tmp_path / "nope")
    with pytest.raises(DataDirError, match="nope/utt2spk: no such file"):
        validate_data_dir(data, other=tmp_path / "nope")


def test_nothing_is_written(data, content):
    before = content(data)
    validate_data_dir(data, check_audio=True)
    assert content(data) == before


def write_large(path, num_utterances: int) -> None:
    """A directory as a large corpus has it, 200 utterances a speaker, keys of 31 bytes."""
    path.mkdir()
    utts = [f"speaker{n // 200:05d}-recording-{n:07d}" for n in range(num_utterances)]
    values = {
        "utt2spk": lambda n, utt: utt[:12],
        "wav.scp": lambda n, utt: f"/corpora/name/audio/{utt[:12]}/{utt}.flac",
        "text": lambda n, utt: "A SENTENCE OF SEVERAL WORDS THAT SOMEBODY SPOKE",
        "feats.scp": lambda n, utt: f"exp/mfcc/raw_mfcc_train.{n % 32}.ark:{n}",
        "utt2num_samples": lambda n, utt: 40000 + n % 9000,
    }
    for name, value in values.items():
        (path / name).write_text("".join(f"{utt} {value(n, utt)}\n" for n, utt in enumerate(utts)))
    with (path / "spk2utt").open("w") as spk2utt:
        for first in range(0, num_utterances, 200):
            spk2utt.write(" ".join([utts[first][:12], *utts[first : first + 200]]) + "\n")


def peak_megabytes(path) -> float:
    """Memory of validating ``path`` in a process of its own."""
    program = (
        "import sys; from zspex_toolkit.io.validate import validate_data_dir\n"
        "assert validate_data_dir(sys.argv[1]) == []\n"
        # not getrusage's maxrss: a child's begins with what its parent had
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True)
    return float(done.stdout) / 1024


@pytest.mark.slow
def test_a_million_utterances_take_less_than_a_gigabyte(tmp_path):
    write_large(tmp_path / "large", 1_000_000)
    assert peak_megabytes(tmp_path / "large") < 1000
