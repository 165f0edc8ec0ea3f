"""Checkpoints in the middle of an epoch, of one process and of two: when, how many, and what a broken one costs."""

import os
import signal
import zipfile
from types import SimpleNamespace

import pytest
import torch
from support.several import in_processes, outputs
from support.toy import ToySet, assert_same_training, toy_train

from zspex_toolkit.train import trainer
from zspex_toolkit.train.checkpoint import Checkpoints

SETTINGS = {"num_epochs": 2, "checkpoint_steps": 1, "ema_decay": 0.9}


def train_of_rank(folder, rank, name, killed=None):
    """Dropout, batch normalisation and Adam; all processes are killed before the step of that place."""
    take_step = trainer.Trainer._take_step

    def dying(self, batches):
        if killed == (self.progress.epoch, self.progress.step):
            os.kill(os.getpid(), signal.SIGKILL)
        take_step(self, batches)

    trainer.Trainer._take_step = dying
    toy_train(folder / name, **SETTINGS)


@pytest.fixture(scope="module", params=[1, 2])
def undisturbed(request, tmp_path_factory):
    """A training, and the number of its processes."""
    folder = tmp_path_factory.mktemp("whole")
    assert in_processes(request.param, train_of_rank, folder, "exp") == [0] * request.param, outputs(folder)
    return folder / "exp", request.param


def cut_short(newest, before):
    newest.write_bytes(newest.read_bytes()[:-100])


def flip_a_bit(newest, before):
    with zipfile.ZipFile(newest) as archive:
        largest = archive.read(max(archive.infolist(), key=lambda entry: entry.file_size))
    content = bytearray(newest.read_bytes())
    content[content.index(largest) + len(largest) // 2] ^= 0x10
    newest.write_bytes(content)


def make_empty(newest, before):
    newest.write_bytes(b"")


def stop_while_writing(newest, before):
    newest.with_name(".epoch-2-step-4.0123456789ab.pt").write_bytes(newest.read_bytes()[:1000])
    newest.unlink()


def break_both(newest, before):
    cut_short(newest, before)
    make_empty(before, newest)


@pytest.mark.parametrize(
    ("damage", "told", "place"),
    [
        (cut_short, ["epoch-2-step-4.pt"], "epoch-2-step-3.pt: 1 epochs and 3 steps done"),
        (flip_a_bit, ["epoch-2-step-4.pt"], "epoch-2-step-3.pt: 1 epochs and 3 steps done"),
        (make_empty, ["epoch-2-step-4.pt"], "epoch-2-step-3.pt: 1 epochs and 3 steps done"),
        (stop_while_writing, [], "epoch-2-step-3.pt: 1 epochs and 3 steps done"),
        (break_both, ["epoch-2-step-4.pt", "epoch-2-step-3.pt"], "epoch-1.pt: 1 epochs and 0 steps done"),
    ],
)
def test_what_is_broken_is_told_and_the_training_ends_as_undisturbed(undisturbed, tmp_path, damage, told, place):
    whole, count = undisturbed
    exp_dir = tmp_path / "exp"
    assert in_processes(count, train_of_rank, tmp_path, "exp", (1, 4)) == [-signal.SIGKILL] * count
    before, newest = (exp_dir / "checkpoints" / f"epoch-2-step-{step}.pt" for step in (3, 4))
    assert sorted(path.name for path in newest.parent.iterdir()) == ["epoch-1.pt", before.name, newest.name]
    damage(newest, before)
    assert in_processes(count, train_of_rank, tmp_path, "exp") == [0] * count, outputs(tmp_path)
    log = (exp_dir / "train.log").read_text()
    broken = [line.split(" ", 1)[1] for line in log.splitlines() if "broken checkpoint" in line]
    assert [line.split(": broken")[0] for line in broken] == [str(newest.parent / name) for name in told]
    assert all(line.endswith("; going back to the one before it") for line in broken)
    assert f"going on from {newest.parent / place}" in log
    assert_same_training(exp_dir, whole)
    assert sorted(path.name for path in newest.parent.iterdir()) == ["epoch-1.pt", "epoch-2.pt"]


def test_a_byte_flipped_anywhere_is_noticed_or_changes_nothing(undisturbed, tmp_path):
    whole, _ = undisturbed
    content = (whole / "checkpoints" / "epoch-2.pt").read_bytes()
    expected, _ = Checkpoints(whole / "checkpoints", keep_last=2).load_newest(print)
    path, noticed, places = tmp_path / "epoch-1.pt", 0, range(0, len(content), 997)
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x40]) + content[place + 1 :])
        told = []
        try:
            state, _ = Checkpoints(tmp_path, keep_last=2).load_newest(told.append)
        except Exception:
            assert len(told) == 1 and "broken checkpoint" in told[0]
            noticed += 1
        else:
            assert_equal(state, expected)
    assert noticed > len(places) / 4  # elsewhere are what torch fills up with and what the archive says twice


def assert_equal(state, expected):
    if isinstance(expected, torch.Tensor):
        assert torch.equal(state, expected)
    elif isinstance(expected, dict):
        assert state.keys() == expected.keys()
        for key, value in expected.items():
            assert_equal(state[key], value)
    elif isinstance(expected, list):
        for one, other in zip(state, expected, strict=True):
            assert_equal(one, other)
    else:
        assert state == expected


def train_by_a_clock(folder, rank, count):
    """By the clock of the last process a step takes twenty seconds; by those of others, none."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    saved, save, take_step = [], Checkpoints.save, trainer.Trainer._take_step

    def ticking(self, batches):
        take_step(self, batches)
        clock.now += 20 * (rank == count - 1)

    def noting(self, state, epoch, step=0):
        path = save(self, state, epoch, step)
        saved.append(f"{path.name}: {' '.join(sorted(p.name for p in path.parent.glob('*-step-*')))}\n")
        return path

    trainer.time, trainer.Trainer._take_step, Checkpoints.save = clock, ticking, noting
    toy_train(folder / "exp", train_set=ToySet(41), num_epochs=1, batch_size=4, checkpoint_minutes=1)
    (folder / f"saved.{rank}").write_text("".join(saved))


@pytest.mark.parametrize("count", [1, 2])
def test_every_so_many_minutes_all_save_and_the_last_two_are_kept(tmp_path, count):
    assert in_processes(count, train_by_a_clock, tmp_path, count) == [0] * count, outputs(tmp_path)
    assert (tmp_path / "saved.0").read_text().splitlines() == [
        "epoch-1-step-3.pt: epoch-1-step-3.pt",
        "epoch-1-step-6.pt: epoch-1-step-3.pt epoch-1-step-6.pt",
        "epoch-1-step-9.pt: epoch-1-step-6.pt epoch-1-step-9.pt",
        "epoch-1.pt: epoch-1-step-6.pt epoch-1-step-9.pt",
    ]
    assert all((tmp_path / f"saved.{rank}").read_text() == "" for rank in range(1, count))
    assert not list((tmp_path / "exp" / "checkpoints").glob("*-step-*"))
