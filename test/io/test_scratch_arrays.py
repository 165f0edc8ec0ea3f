"""Arrays on disk come back as they were, and leave nothing behind."""

import numpy as np
import pytest

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.scratch_arrays import ScratchArrays


def test_arrays_come_back_in_any_order(tmp_path):
    arrays = [np.random.default_rng(n).normal(size=(n, 2)).astype(np.float32) for n in (3, 1, 5)]
    store = ScratchArrays(tmp_path / "new")
    for array in arrays:
        store.append(array)
    assert len(store) == 3
    assert np.array_equal(store[1], arrays[1])
    assert all(np.array_equal(one, other) for one, other in zip(store, arrays, strict=True))


def test_no_file_is_seen(tmp_path):
    store = ScratchArrays(tmp_path)
    store.append(np.ones((4, 1)))
    assert list(tmp_path.iterdir()) == []
    store.close()


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    store = ScratchArrays(tmp_path)

    class Full:
        def seek(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_file", Full())
    with pytest.raises(AudioError, match=r"no room for intermediate results \(No space left on device\)"):
        store.append(np.ones(3))


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioError, match=r"file/new: cannot be written to \(not a directory\)"):
        ScratchArrays(tmp_path / "file" / "new")
