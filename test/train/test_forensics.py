import numpy as np
import torch
from support.several import in_processes
from torch import nn

from zspex_toolkit.train.forensics import Buffers, dump_step, names_of
from zspex_toolkit.train.processes import joined


def test_a_step_can_be_replayed_from_its_file(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    batch = {"ids": [np.str_("a-1"), "b-2"], "x": torch.randn(2, 3), "snr_db": 5.0}
    step = {"batches": [batch], "model": model.state_dict(), "random_state": {"cpu": torch.get_rng_state()}}
    where = dump_step(tmp_path, "epoch-1-step-3", step)
    first = model(batch["x"])
    assert where == f"saved as {tmp_path / 'epoch-1-step-3'}.pt"
    loaded = torch.load(tmp_path / "epoch-1-step-3.pt", weights_only=True)
    again = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    again.load_state_dict(loaded["model"])
    torch.set_rng_state(loaded["random_state"]["cpu"])
    assert torch.equal(again(loaded["batches"][0]["x"]), first)
    assert (loaded["batches"][0]["ids"], loaded["batches"][0]["snr_db"]) == (["a-1", "b-2"], 5.0)


def test_a_diverged_training_does_not_fill_the_disk(tmp_path):
    answers = [dump_step(tmp_path, f"step-{number}", {"batches": []}) for number in range(25)]
    assert len(list(tmp_path.glob("*.pt"))) == 20
    assert answers[-1] == f"not saved ({tmp_path} has 20 files already)"


def test_ten_names_are_enough():
    batches = [{"ids": [f"u{number}" for number in range(8)]}, {"ids": ["v1", "v2", "v3", "v4"]}]
    assert names_of(batches) == "u0, u1, u2, u3, u4, u5, u6, u7, v1, v2 and 2 more"


def change(results, rank):
    with joined(torch.device("cpu")) as processes:
        norm = torch.nn.BatchNorm1d(2)
        norm.register_buffer("constant", torch.tensor([0.1, 0.7]))
        buffers = Buffers(norm)
        buffers.keep()
        if rank == 1:
            norm.running_mean += 4.0
            norm.num_batches_tracked += 1
        buffers.average(processes, [1, 3][rank])
    torch.save(norm.state_dict(), results / str(rank))


def test_buffers_change_by_the_mean_over_the_items_of_all_processes_and_constants_not_at_all(tmp_path):
    assert in_processes(2, change, tmp_path) == [0, 0]
    for rank in (0, 1):
        state = torch.load(tmp_path / str(rank), weights_only=True)
        assert state["running_mean"].tolist() == [3.0, 3.0] and int(state["num_batches_tracked"]) == 1
        assert torch.equal(state["constant"], torch.tensor([0.1, 0.7]))
