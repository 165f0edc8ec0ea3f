"""Size and time of what a source is read from."""

import os

import pytest

from zspex_toolkit.io.source_mark import digest_of_sources, source_mark


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a b.ark").write_bytes(b"12345")
    os.utime(tmp_path / "a b.ark", ns=(5, 7_000_000_001))
    return tmp_path / "a b.ark"


@pytest.mark.parametrize("form", ["{}", " {}", "{}:12", "{}:12:s1", "sox '{}' -t wav - |", "cat '{}' | flac -d - |"])
def test_the_file_behind_every_form_of_a_source_counts(file, form):
    before = source_mark(form.format(file))
    assert before == "5:7000000001"
    file.write_bytes(b"54321")
    os.utime(file, ns=(5, 7_000_000_002))
    assert source_mark(form.format(file)) == "5:7000000002"


@pytest.mark.parametrize("source", ["none.wav", "none.ark:5", "echo 'x |", "true |", "", "a\0b"])
def test_what_is_no_file_has_no_mark(source):
    assert source_mark(source) == ""


def test_a_digest_tells_names_order_and_marks(file, tmp_path):
    (tmp_path / "b").touch()
    one = digest_of_sources([file, tmp_path / "b"])
    assert one == digest_of_sources([str(file), tmp_path / "b"])
    assert one != digest_of_sources([tmp_path / "b", file])
    os.utime(file, ns=(5, 9))
    assert one != digest_of_sources([file, tmp_path / "b"])
