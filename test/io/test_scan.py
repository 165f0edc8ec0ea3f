"""The scan of one table finds the same faults whether a block is gone through as a whole or line by line."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zspex_toolkit.io import scan
from zspex_toolkit.io.known_tables import one_word, transcript
from zspex_toolkit.io.scan import Fault, Findings, compare_keys, scan_table


def faults_of(path, content: bytes, rule=one_word) -> list[str]:
    path.write_bytes(content)
    findings = Findings()
    scan_table(path, findings, rule)
    return [str(fault).removeprefix(f"{path}") for fault in findings.faults]


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (b"a 1\nb 2\n", []),
        (b"a\t1\nb  2 \n", []),
        (b"", [": empty file"]),
        (b"a 1\nb 2", [":2: expected a newline at the end of the last line"]),
        (b"a 1\n\nb 2\n", [":2: expected '<key> <value>', got an empty line"]),
        (b"a 1\nb\n", [":2: expected '<key> <value>', got 'b'"]),
        (b"a 1\n b 2\n", [":2: expected the key at the start of the line, got 'b 2'"]),
        (b"a 1\r\n", [":1: expected a Unix line end, got a carriage return; convert the file with dos2unix"]),
        (b"a 1\nb \xff\n", [":2: expected UTF-8 text, got 'b \\xff'"]),
        (b"a 1\nb 2 3\n", [":2: expected 2 fields, got 3"]),
        (b"b 1\na 2\n", [":2: not sorted: 'a' comes after 'b'; sort it with LC_ALL=C"]),
        (b"a 1\na 2\n", [":2: duplicate key 'a', first seen on line 1"]),
        (b"a 1\nc 2\nb 3\na 4\n", [":3: not sorted: 'b' comes after 'c'; sort it with LC_ALL=C",
                                   ":4: duplicate key 'a', first seen on line 1"]),
    ],
)  # fmt: skip
def test_each_fault_of_form_has_its_line(tmp_path, content, faults):
    assert faults_of(tmp_path / "utt2spk", content) == faults


def test_an_utterance_may_have_no_words(tmp_path):
    assert faults_of(tmp_path / "text", b"a\nb words\n", transcript) == []


@settings(max_examples=100, deadline=None)
@given(lines=st.lists(st.sampled_from([b"a 1", b"b 2", b"c", b"", b" d 4", b"e 5\r", b"f\t6", b"g 7 8"]), min_size=1))
def test_small_blocks_find_what_one_block_finds(lines, tmp_path_factory):
    path = tmp_path_factory.mktemp("s") / "utt2spk"
    found = []
    for scan._BLOCK_BYTES in (1, 7, 1 << 22):
        found.append(faults_of(path, b"\n".join(lines) + b"\n"))
    assert all(one == two for one, two in pairwise(found))


def test_keys_of_one_table_alone_are_named(tmp_path):
    findings = Findings()
    compare_keys(tmp_path / "text", findings, [b"a", b"c"], [b"a", b"b"], "utt2spk")
    assert [str(fault) for fault in findings.faults] == [
        f"{tmp_path}/text:2: 'c' is not in utt2spk",
        f"{tmp_path}/text: no line for 'b' (utt2spk:2)",
    ]


def test_a_fault_reads_as_file_line_and_message():
    assert str(Fault("data/utt2spk", 17, "expected 2 fields, got 3")) == "data/utt2spk:17: expected 2 fields, got 3"
    assert str(Fault("data/text", None, "no such file")) == "data/text: no such file"


def test_ten_of_a_kind_are_kept_and_the_others_counted():
    findings = Findings()
    for line in range(1, 31):
        findings.fault("a", line, f"key {line} is new", kind="new key")
        findings.warn("a", line, "odd")
    findings.fault("b", 1, "key 1 is new", kind="new key")
    findings.add_counts()
    assert [fault.line for fault in findings.faults] == [*range(1, 11), 1, None]
    assert str(findings.faults[-1]) == "a: 20 more of the kind: new key"
    assert str(findings.warnings[-1]) == "a: 20 more of the kind: odd"


def test_messages_of_no_kind_are_kinds_of_their_own():
    findings = Findings()
    for number in range(12):
        findings.fault("a", None, f"message {number}")
    findings.add_counts()
    assert len(findings.faults) == 12
