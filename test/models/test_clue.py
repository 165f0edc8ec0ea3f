"""Clues are put together, taken apart and kept in files without a change."""

import numpy as np
import pytest
import safetensors.torch
import torch

from zspex_toolkit.errors import UserError
from zspex_toolkit.models.clue import Clue, clues_per_mixture, joined_frames, mean_embedding


def frames_of(*lengths, channels=2):
    """Frames that count up from 1, padded with -1 to the longest."""
    frames = torch.full((len(lengths), channels, max(lengths)), -1.0)
    for row, length in enumerate(lengths):
        frames[row, :, :length] = torch.arange(1, length + 1) + 10 * row
    return Clue(frames=frames, num_frames=torch.tensor(lengths))


def same(one, other):
    parts = [(one.embedding, other.embedding), (one.frames, other.frames), (one.num_frames, other.num_frames)]
    return all(a is b is None or torch.equal(a, b) for a, b in parts)


def test_frames_without_numbers_are_all_true():
    assert Clue(frames=torch.zeros(3, 2, 5)).num_frames.tolist() == [5, 5, 5]


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"num_frames": torch.tensor([3])},
        {"embedding": torch.zeros(4)},
        {"embedding": torch.zeros(2, 4), "frames": torch.zeros(3, 1, 5)},
        {"frames": torch.zeros(3, 1, 5), "num_frames": torch.tensor([5, 5])},
    ],
)
def test_what_is_no_clue_is_refused(parts):
    with pytest.raises(ValueError, match=r"clue: expected embedding \(B, D\), or frames \(B, C, U\) and num_frames"):
        Clue(**parts)


def test_rows_are_taken_by_number_slice_list_and_tensor():
    clue = Clue(torch.arange(4.0)[:, None], torch.arange(8.0).view(4, 1, 2))
    assert clue[1].embedding.tolist() == [[1]] and clue[-1].embedding.tolist() == [[3]]
    assert clue[1:3].frames.tolist() == [[[2, 3]], [[4, 5]]] and len(clue[1:3]) == 2
    assert clue[[3, 0]].embedding.tolist() == clue[torch.tensor([3, 0])].embedding.tolist() == [[3], [0]]


def test_clues_of_other_lengths_are_padded_when_they_are_put_together():
    both = Clue.cat([frames_of(2, 3), frames_of(4)])
    assert both.frames.shape == (3, 2, 4) and both.num_frames.tolist() == [2, 3, 4]
    assert both.frames[0, 0].tolist() == [1, 2, -1, 0] and both.frames[2, 0].tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="expected clues of one kind"):
        Clue.cat([frames_of(2), Clue(torch.zeros(1, 3))])


def test_the_mean_weighs_each_recording():
    one, other = Clue(torch.tensor([[1.0, 0.0]])), Clue(torch.tensor([[4.0, 3.0]]))
    assert mean_embedding([one, other]).embedding.tolist() == [[2.5, 1.5]]
    assert mean_embedding([one, other], [2.0, 1.0]).embedding.tolist() == [[2.0, 1.0]]


def test_joined_frames_are_the_true_ones_of_each_recording_in_a_row():
    joined = joined_frames([frames_of(2, 3), frames_of(1, 2)])
    assert joined.num_frames.tolist() == [3, 5]
    assert joined.frames[0, 0, :3].tolist() == [1, 2, 1] and joined.frames[1, 0].tolist() == [11, 12, 13, 11, 12]


def test_row_r_asks_of_mixture_r_modulo_m():
    clue = Clue(torch.zeros(6, 2))
    assert clues_per_mixture(clue, torch.zeros(2, 9)) == 3
    with pytest.raises(ValueError, match="expected as many clues for each of 4 mixtures, got 6 in all"):
        clues_per_mixture(clue, torch.zeros(4, 9))


def test_a_file_gives_back_what_was_saved(tmp_path):
    clue = Clue(torch.randn(3, 4), *(vars(frames_of(2, 3, 5))[name] for name in ("frames", "num_frames")))
    clue.save(tmp_path / "sub" / "people.clue", made_by="abc")
    again, made_by = Clue.load(tmp_path / "sub" / "people.clue")
    assert same(again, clue) and made_by == "abc"


def test_a_part_of_a_larger_batch_is_saved_alone(tmp_path):
    Clue(torch.zeros(1000, 4))[5].save(tmp_path / "one.clue")
    assert (tmp_path / "one.clue").stat().st_size < 500


def test_a_file_that_is_no_clue_is_one_line(tmp_path):
    path = tmp_path / "it.clue"
    with pytest.raises(UserError, match=r"it\.clue: no such file; expected a clue that 'zspex enroll' wrote"):
        Clue.load(path)
    path.write_bytes(b"RIFF and so on")
    with pytest.raises(UserError, match=r"it\.clue: not a file of clues"):
        Clue.load(path)
    path.write_bytes(safetensors.torch.save({"weight": torch.zeros(2)}))
    with pytest.raises(UserError, match=r"it\.clue: holds no clue"):
        Clue.load(path)
    about = {"format": "zspex clue", "version": "7", "made_by": ""}
    path.write_bytes(safetensors.torch.save({"embedding": torch.zeros(1, 2)}, about))
    with pytest.raises(UserError, match=r"it\.clue: expected version 1, found 7; enroll again"):
        Clue.load(path)
    path.write_bytes(safetensors.torch.save({"embedding": torch.zeros(2)}, about | {"version": "1"}))
    with pytest.raises(UserError, match=r"it\.clue: broken: clue: expected embedding"):
        Clue.load(path)
    np.save(tmp_path / "e.npy", np.zeros(3))
    with pytest.raises(UserError, match=r"e\.npy: not a file of clues"):
        Clue.load(tmp_path / "e.npy")
