import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.toy import ToySet

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.batches import BatchLoader, count_steps, plan_steps, plan_validation, share_of
from zspex_toolkit.train.config import TrainConfig


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 4), st.integers(0, 3))
def test_every_item_comes_once_and_no_batch_has_a_single_item_unless_it_must(num_items, batch_size, accumulate, epoch):
    steps = plan_steps(num_items, TrainConfig(batch_size=batch_size, accumulate=accumulate), epoch)
    batches = [batch for step in steps for batch in step]
    assert sorted(np.concatenate(batches).tolist()) == list(range(num_items))
    assert all(len(step) == accumulate for step in steps[:-1])
    assert len(steps) == count_steps(num_items, TrainConfig(batch_size=batch_size, accumulate=accumulate))
    if batch_size > 1 and num_items > 1:
        assert min(len(batch) for batch in batches) >= 2


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 5))
def test_the_shares_of_the_processes_are_the_batch_and_none_has_a_single_item_beside_larger_ones(num, size, count):
    batch, config = np.arange(num), TrainConfig(batch_size=size)
    shares = [share_of(batch, config, rank, count) for rank in range(count)]
    assert np.concatenate(shares).tolist() == batch.tolist()
    sizes = [len(share) for share in shares if len(share)]
    assert max(sizes) - min(sizes) <= 1
    if num > 1 and size >= 2 * count:
        assert min(sizes) >= 2


def test_a_full_batch_is_shared_by_all():
    sizes = [[len(share_of(np.arange(num), TrainConfig(batch_size=4), rank, 4)) for rank in range(4)] for num in (4, 3)]
    assert sizes == [[1, 1, 1, 1], [1, 1, 1, 0]]


@given(st.integers(1, 60), st.integers(1, 9))
def test_dropping_the_last_batch_leaves_equal_ones(num_items, batch_size):
    steps = plan_steps(num_items, TrainConfig(batch_size=batch_size, drop_last=True), 0)
    expected = [batch_size] * (num_items // batch_size) or [num_items]
    assert [len(batch) for step in steps for batch in step] == expected


def test_the_order_depends_on_seed_and_epoch_alone():
    def order(seed, epoch):
        return [batch.tolist() for step in plan_steps(50, TrainConfig(seed=seed), epoch) for batch in step]

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2) and order(0, 1) != order(1, 1)


def test_validation_keeps_the_order_of_the_set():
    assert [batch.tolist() for batch in plan_validation(5, 2)] == [[0, 1], [2, 3], [4]]


def loader(items, **settings):
    return BatchLoader(items, TrainConfig(**settings), torch.device("cpu"))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_come_in_the_order_asked_for_and_with_the_epoch_asked_for(num_workers):
    data = ToySet()
    batches = loader(data, num_workers=num_workers)
    for epoch in (3, 4):
        indices = [np.array([4, 2]), np.array([0]), np.array([7, 9, 1])]
        for chosen, batch in zip(indices, batches.load(epoch, indices), strict=True):
            assert batch["ids"] == [f"utt{index}" for index in chosen]
            expected = data.collate([data.get(epoch, index) for index in chosen.tolist()])
            assert torch.equal(batch["x"], expected["x"])


def test_loading_draws_nothing_from_the_random_numbers_of_training():
    before = torch.get_rng_state()
    list(loader(ToySet()).load(0, [np.array([1, 2])]))
    assert torch.equal(torch.get_rng_state(), before)


class Faulty(ToySet):
    def __init__(self, error):
        super().__init__()
        self._error = error

    def get(self, epoch, index):
        if index == 3:
            self._error()
        return super().get(epoch, index)


def raise_os_error():
    raise FileNotFoundError(2, "No such file", "b.wav")


def divide():
    return 1 / 0


def kill_process():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_error_of_an_item_carries_its_name(num_workers):
    batches = loader(Faulty(raise_os_error), num_workers=num_workers)
    with pytest.raises(UserError, match=r"^item 'utt3' of epoch 2: .*No such file: 'b.wav'$"):
        list(batches.load(2, [np.array([1, 3])]))
    batches = loader(Faulty(divide), num_workers=num_workers)
    with pytest.raises(RuntimeError, match=r"(?s)item 'utt3' of epoch 0:\nTraceback.*return 1 / 0.*ZeroDivisionError"):
        list(batches.load(0, [np.array([1, 3])]))


def test_items_that_do_not_fit_together_are_named():
    class Uneven(ToySet):
        def get(self, epoch, index):
            return {**super().get(epoch, index), "x": np.zeros(index)}

    with pytest.raises(RuntimeError, match=r"(?s)batch of items 'utt1', 'utt3' of epoch 0:.*same shape"):
        list(loader(Uneven()).load(0, [np.array([1, 3])]))


def test_a_killed_data_process_is_one_clear_line():
    batches = loader(Faulty(kill_process), num_workers=1)
    with pytest.raises(UserError, match=r"a data process ended .*out of memory\? lower num_workers"):
        list(batches.load(0, [np.array([1, 3])]))


def test_a_closed_loader_leaves_no_process_behind():
    batches = loader(ToySet(), num_workers=2)
    next(batches.load(0, [np.array([0, 1]), np.array([2])]))
    assert len(multiprocessing.active_children()) == 2
    batches.close()
    assert not multiprocessing.active_children()
    batches.close()
    assert [len(batch["ids"]) for batch in batches.load(0, [np.array([4])])] == [1]
    batches.close()
