import errno
import pickle
import resource
import zipfile

import pytest
import torch

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.checkpoint import Checkpoints, load_best, save_weights


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


def flip_a_bit_of_a_weight(path):
    with zipfile.ZipFile(path) as archive:
        weight = max(archive.infolist(), key=lambda entry: entry.file_size * entry.filename.endswith("data/0"))
    content = bytearray(path.read_bytes())
    place = content.index(torch.full((100,), 2.0).numpy().tobytes())
    assert weight.file_size == 400
    content[place + 17] ^= 1
    path.write_bytes(content)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:500])


def make_empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip_a_bit_of_a_weight, cut_short, make_empty])
def test_a_broken_newest_falls_back_to_the_one_before_and_says_so(tmp_path, damage):
    checkpoints = Checkpoints(tmp_path, keep_last=2)
    checkpoints.save(state(1), 1)
    damage(checkpoints.save(state(2), 2))
    messages = []
    loaded, path = checkpoints.load_newest(messages.append)
    assert (path.name, loaded["progress"]["epoch"]) == ("epoch-1.pt", 1)
    assert len(messages) == 1 and messages[0].startswith(f"{tmp_path / 'epoch-2.pt'}: broken checkpoint (")
    assert messages[0].endswith("going back to the one before it")


def test_when_all_are_broken_nothing_is_begun_anew_silently(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep_last=2)
    cut_short(checkpoints.save(state(1), 1))
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
    assert torch.equal(load_best(tmp_path)["weight"], torch.ones(100))
    assert names(tmp_path) == ["best.safetensors"]


def test_tied_and_transposed_weights_survive_saving(tmp_path):
    weight = torch.arange(6.0).reshape(2, 3)
    save_weights({"one": weight, "same": weight, "turned": weight.T}, tmp_path / "best.safetensors")
    loaded = load_best(tmp_path)
    assert torch.equal(loaded["same"], weight) and torch.equal(loaded["turned"], weight.T)


def test_a_missing_or_broken_best_model_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"best.safetensors: no such file; has the training of .* finished an epoch\?"):
        load_best(tmp_path)
    (tmp_path / "best.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"best.safetensors: not a safetensors file"):
        load_best(tmp_path)
