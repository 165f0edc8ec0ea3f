"""Archives: round trips, Kaldi's own files, and what is refused."""

import os
import pickle
from pathlib import Path

import kaldiio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.archive import ArchiveWriter, read_array, read_scp

KALDI = Path(__file__).parents[1] / "data" / "kaldi_reference"
KEYS = ["spk002-0", "spk016-1", "spk018-1", "spk087-0"]
FLOATS = arrays(np.float32, array_shapes(max_dims=2, max_side=5), elements=st.floats(-1e6, 1e6, width=32))


@pytest.fixture
def mfcc(monkeypatch):
    """Kaldi's features of four utterances; the scripts name the archives relative to their folder."""
    monkeypatch.chdir(KALDI)
    return dict(read_scp("mfcc_demix20.scp"))


@settings(max_examples=30, deadline=None)
@given(table=st.dictionaries(st.sampled_from("zyxwvu"), FLOATS, max_size=4))
def test_what_is_written_is_read_back_and_kaldiio_reads_it_too(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("a")
    with ArchiveWriter(folder / "a.ark", folder / "a.scp") as writer:
        for key, array in table.items():
            writer[key] = array
    back = read_scp(folder / "a.scp")
    assert list(back) == sorted(table)
    assert all(np.array_equal(back[key], table[key]) for key in table)
    by_kaldiio = dict(kaldiio.load_ark(str(folder / "a.ark")))
    assert list(by_kaldiio) == list(table)
    assert all(np.array_equal(by_kaldiio[key], table[key]) for key in table)


def test_our_bytes_are_kaldi_s_bytes(tmp_path, mfcc):
    with ArchiveWriter(tmp_path / "a.ark") as writer:
        for key in KEYS:
            writer[key] = mfcc[key]
    assert (tmp_path / "a.ark").read_bytes() == (KALDI / "mfcc_demix20.ark").read_bytes()


def test_the_text_archive_of_kaldi_holds_the_same(mfcc):
    for key, array in kaldiio.load_ark(str(KALDI / "mfcc_demix20.txt")):
        assert np.allclose(array, mfcc[key], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "bits", "lowest", "highest"),
    [(3, 16, None, None), (5, 8, None, None), (4, 16, -32768, 32767), (6, 8, 0, 255), (7, 8, 0, 1)],
)
def test_kaldi_s_linear_compression_is_read_to_half_a_step(mfcc, method, bits, lowest, highest):
    """Methods 3 and 5 span the matrix's own range, 4, 6 and 7 a fixed one, beyond which values are cut."""
    compressed = read_scp(f"compressed{method}.scp")
    assert list(compressed) == KEYS
    for key, array in compressed.items():
        low, high = (mfcc[key].min(), mfcc[key].max()) if lowest is None else (lowest, highest)
        step = (high - low) / (2**bits - 1)
        assert np.abs(array - np.clip(mfcc[key], low, high)).max() <= 0.51 * step


def steps_of_speech_compression(matrix):
    """Per column: a byte from 0 to 64 spans its lowest quarter, to 192 the middle half, to 255 the highest quarter."""
    quartiles = np.percentile(matrix, [0, 25, 75, 100], axis=0)
    return (np.diff(quartiles, axis=0) / np.array([[64], [128], [63]])).max(0)


@pytest.mark.parametrize("method", [1, 2])
def test_kaldi_s_speech_compression_is_read_to_half_a_step(mfcc, method):
    for key, array in read_scp(f"compressed{method}.scp").items():
        assert np.all(np.abs(array - mfcc[key]).max(0) <= 0.52 * steps_of_speech_compression(mfcc[key]) + 4e-3)


def test_compressed_by_us_is_within_a_step_of_compressed_by_kaldi(tmp_path, mfcc):
    with ArchiveWriter(tmp_path / "a.ark", tmp_path / "a.scp", compress=True) as writer:
        for key in KEYS:
            writer[key] = mfcc[key]
    by_kaldi = read_scp("compressed1.scp")
    for key, array in read_scp(tmp_path / "a.scp").items():
        assert np.all(np.abs(array - by_kaldi[key]) <= 1.02 * steps_of_speech_compression(mfcc[key]))


def test_a_matrix_without_rows_is_not_compressed_and_comes_back(tmp_path):
    with ArchiveWriter(tmp_path / "a.ark", tmp_path / "a.scp", compress=True) as writer:
        writer["a"] = np.zeros((0, 3), np.float32)
    assert read_scp(tmp_path / "a.scp")["a"].shape == (0, 3)


def test_vectors_and_integers_are_never_compressed(tmp_path):
    with ArchiveWriter(tmp_path / "a.ark", tmp_path / "a.scp", compress=True) as writer:
        writer["vector"] = np.array([0.1, 0.2], np.float32)
        writer["counts"] = np.array([3, 70_000], np.int32)
        writer["voiced"] = np.array([True, False])
    back = read_scp(tmp_path / "a.scp")
    assert back["vector"].tolist() == np.array([0.1, 0.2], np.float32).tolist()
    assert (back["counts"].tolist(), back["counts"].dtype) == ([3, 70_000], np.int32)
    assert back["voiced"].tolist() == [1.0, 0.0]


def test_ranges_include_both_ends_as_in_kaldi(mfcc):
    whole = mfcc["spk002-0"]
    assert np.array_equal(read_array("mfcc_demix20.ark:9[10:12]"), whole[10:13])
    assert np.array_equal(read_array("mfcc_demix20.ark:9[10:12,0:3]"), whole[10:13, :4])
    assert np.array_equal(read_array("mfcc_demix20.ark:9[:,0:3]"), whole[:, :4])


def test_arrays_can_be_changed_by_their_reader(mfcc):
    mfcc["spk002-0"][0, 0] = 1.0
    assert mfcc["spk002-0"].flags.writeable


def test_an_exception_leaves_neither_file_and_keeps_the_old_ones(tmp_path, content):
    with ArchiveWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        writer["a"] = np.ones(3)
    before = content(tmp_path)
    with pytest.raises(ZeroDivisionError), ArchiveWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        writer["b"] = np.ones(3)
        raise ZeroDivisionError
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    ("key", "array", "message"),
    [
        ("a", np.ones(3), "key 'a' is written twice"),
        ("b c", np.ones(3), "expected a key without blanks, got 'b c'"),
        ("d", np.ones((2, 2, 2)), r"'d': expected a vector or matrix, got float64 of shape \(2, 2, 2\)"),
        ("e", np.array(["text"]), "'e': expected a vector or matrix, got <U4"),
    ],
)
def test_an_unfit_entry_is_refused(tmp_path, key, array, message):
    with pytest.raises(DataDirError, match=message), ArchiveWriter(tmp_path / "a.ark") as writer:
        writer["a"] = np.ones(3)
        writer[key] = array
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nope.ark:9", "nope.ark:9: no such file or directory"),
        ("mfcc_demix20.ark:11", "mfcc_demix20.ark:11: no array here"),
        ("mfcc_demix20.ark:99999999", "mfcc_demix20.ark:99999999: no array here"),
        ("wav/spk002-0.wav", "wav/spk002-0.wav: expected a matrix or vector, found audio"),
        ("mfcc_demix20.ark:9[5:2:1]", r"mfcc_demix20.ark:9\[5:2:1\]: no array here"),
    ],
)
def test_a_wrong_place_is_one_line(mfcc, spec, message):
    with pytest.raises(DataDirError, match=message):
        read_array(spec)


def test_pickles_are_refused_unread(tmp_path):
    (tmp_path / "evil.ark").write_bytes(b"a PKL" + pickle.dumps(print))
    with pytest.raises(DataDirError, match=r"evil\.ark:2: holds a pickle, which can run code; refused"):
        read_array(f"{tmp_path}/evil.ark:2")


def test_object_arrays_are_refused_unread(tmp_path):
    kaldiio.save_ark(f"{tmp_path}/o.ark", {"a": np.array([{}], object)}, write_function="numpy")
    with pytest.raises(DataDirError, match=r"o\.ark:2: no array here: .*allow_pickle"):
        read_array(f"{tmp_path}/o.ark:2")


def test_a_script_that_cannot_be_written_leaves_the_old_archive_and_its_script(tmp_path, monkeypatch):
    ark, scp = tmp_path / "a.ark", tmp_path / "a.scp"
    with ArchiveWriter(ark, scp) as writer:
        writer["old"] = np.ones((2, 3), np.float32)
    before = ark.read_bytes(), scp.read_bytes()

    def no_space(path, table, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zspex_toolkit.io.archive.write_table", no_space)
    with pytest.raises(OSError, match="No space left"), ArchiveWriter(ark, scp) as writer:
        writer["new"] = np.zeros((4, 3), np.float32)
    assert (ark.read_bytes(), scp.read_bytes()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ark", "a.scp"]


def test_a_script_is_the_same_in_memory_that_processes_share(tmp_path):
    with ArchiveWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        writer["a"], writer["b"] = np.eye(2), np.arange(3.0)
    lines = (tmp_path / "a.scp").read_text().splitlines(keepends=True)
    (tmp_path / "a.scp").write_text("".join(reversed(lines)))  # of any order
    compact = read_scp(tmp_path / "a.scp").compact()
    assert list(compact) == ["a", "b"] and type(compact.specs) is not dict
    assert compact["a"].tolist() == [[1, 0], [0, 1]] and compact["b"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "rows", "columns"),
    [
        ("[0:0]", (0, 1), (0, 3)),
        ("[0:3]", (0, 4), (0, 3)),
        ("[2:3]", (2, 4), (0, 3)),
        ("[:]", (0, 4), (0, 3)),
        ("[:,1:1]", (0, 4), (1, 2)),
        ("[1:2,:]", (1, 3), (0, 3)),
        ("[1:2,0:2]", (1, 3), (0, 3)),
    ],
)
def test_ranges_within_a_matrix(tmp_path, text, rows, columns):
    whole = np.arange(12, dtype=np.float32).reshape(4, 3)
    with ArchiveWriter(tmp_path / "a.ark") as writer:
        writer["u"] = whole
    found = read_array(f"{tmp_path}/a.ark:2{text}")
    assert np.array_equal(found, whole[slice(*rows), slice(*columns)])


@pytest.mark.parametrize("last", [4, 5, 6])
def test_three_rows_too_many_are_cut_with_a_warning_as_in_kaldi(tmp_path, last):
    with ArchiveWriter(tmp_path / "a.ark", tmp_path / "a.scp") as writer:
        writer["u"] = np.arange(12, dtype=np.float32).reshape(4, 3)
        writer["v"] = np.arange(4, dtype=np.float32)
    for place in read_scp(tmp_path / "a.scp").specs.values():
        with pytest.warns(UserWarning, match=rf"\[1:{last}\]: the range ends {last - 3} rows past the last one, cut"):
            assert len(read_array(f"{place}[1:{last}]")) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[0:7]", "expected a range of the 4 rows 0 to 3, got 0:7"),
        ("[4:5]", "expected a range of the 4 rows 0 to 3, got 4:5"),
        ("[3:2]", "expected a range of the 4 rows 0 to 3, got 3:2"),
        ("[0:1,0:3]", "expected a range of the 3 columns 0 to 2, got 0:3"),
        ("[0:1,2:1]", "expected a range of the 3 columns 0 to 2, got 2:1"),
        ("[0:1,0:1,0:1]", "got 3 ranges for 2 axes"),
        *((text, "no array here: expected a range as Kaldi's") for text in ("[3]", "[:5]", "[5:]", "[,0:1]", "[0:1,]")),
        *((text, "no array here: expected a range as Kaldi's") for text in ("[-3:1]", "[a:b]", "[]", "[1:2:1]")),
        ("[0:99999999999999999999]", "no array here: expected a range as Kaldi's"),
        ("[0:1", "no such file"),
    ],
)
def test_other_ranges_are_refused(tmp_path, text, message):
    with ArchiveWriter(tmp_path / "a.ark") as writer:
        writer["u"] = np.arange(12, dtype=np.float32).reshape(4, 3)
    with pytest.raises(DataDirError, match=message):
        read_array(f"{tmp_path}/a.ark:2{text}")
