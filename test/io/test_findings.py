"""Faults are kept up to ten per kind and file; the rest is counted."""

from zspex_toolkit.io.findings import Fault, Findings


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
