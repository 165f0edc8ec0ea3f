import errno
import pickle
import resource

import pytest
import torch
from safetensors.torch import load_file

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.checkpoint import Checkpoints, save_weights


def state(number):
    return {"model": {"weight": torch.full((100,), float(number))}, "progress": {"epoch": number, "metrics": [0.5]}}


def names(folder):
    return sorted(path.name for path in folder.glob("*"))


def test_the_newest_is_found_by_epoch_and_step_not_by_name(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep_last=5)
    for epoch, step in [(9, 0), (9, 7), (10, 0), (10, 8), (10, 12)]:
        checkpoints.save(state(epoch), epoch, step)
    loaded, path = checkpoints.load_newest(print)
    assert path.name == "epoch-11-step-12.pt"
    assert loaded["progress"] == {"epoch": 10, "metrics": [0.5]}


def test_the_last_few_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep_last=2)
    for epoch in range(1, 5):
        for step in (10, 20, 30):
            checkpoints.save(state(epoch), epoch - 1, step)
        checkpoints.save(state(epoch), epoch)
    assert names(tmp_path) == ["epoch-3.pt", "epoch-4-step-20.pt", "epoch-4-step-30.pt", "epoch-4.pt"]
    checkpoints.remove_partial()
    assert names(tmp_path) == ["epoch-3.pt", "epoch-4.pt"]


def test_when_all_are_broken_nothing_is_begun_anew_silently(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep_last=2)
    checkpoints.save(state(1), 1).write_bytes(b"PK cut short")
    with pytest.raises(UserError, match=r"every checkpoint is broken; remove the directory to begin anew"):
        checkpoints.load_newest(print)


def test_no_checkpoint_is_no_error(tmp_path):
    assert Checkpoints(tmp_path / "new", keep_last=2).load_newest(print) is None


class Bomb:
    def __reduce__(self):
        return (print, ("code from a checkpoint was run",))


def test_code_in_a_checkpoint_is_not_run(tmp_path, capsys):
    torch.save({"model": Bomb()}, tmp_path / "epoch-1.pt")
    (tmp_path / "epoch-2.pt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="every checkpoint is broken"):
        Checkpoints(tmp_path, keep_last=2).load_newest(lambda message: None)
    assert "was run" not in capsys.readouterr().out


def test_a_full_disk_is_one_clear_line_and_what_was_there_stays(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, keep_last=1)
    checkpoints.save(state(1), 1)

    def disk_full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", disk_full)
    with pytest.raises(UserError, match=r"epoch-2.pt: cannot save \(No space left on device\).*saved before is intact"):
        checkpoints.save(state(2), 2)
    assert names(tmp_path) == ["epoch-1.pt"]
    assert checkpoints.load_newest(print)[0]["progress"]["epoch"] == 1


def test_a_file_cut_off_while_writing_never_replaces_the_old_one(tmp_path):
    save_weights({"weight": torch.ones(100)}, tmp_path / "best.safetensors")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # the kernel refuses the bytes after these
    try:
        with pytest.raises(UserError, match=r"best.safetensors: cannot save \(File too large\)"):
            save_weights({"weight": torch.ones(10_000)}, tmp_path / "best.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert torch.equal(load_file(tmp_path / "best.safetensors")["weight"], torch.ones(100))
    assert names(tmp_path) == ["best.safetensors"]


def test_tied_and_transposed_weights_survive_saving(tmp_path):
    weight = torch.arange(6.0).reshape(2, 3)
    save_weights({"one": weight, "same": weight, "turned": weight.T}, tmp_path / "best.safetensors")
    loaded = load_file(tmp_path / "best.safetensors")
    assert torch.equal(loaded["same"], weight) and torch.equal(loaded["turned"], weight.T)
