import torch
from torch import nn

from zspex_toolkit.train.average import WeightAverage, averaged


def scalar_model(value):
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, value)
    return model


def test_the_average_moves_towards_the_weights_with_a_growing_decay():
    model = scalar_model(0.0)
    average = WeightAverage(model, decay=0.15)
    for _ in range(2):
        nn.init.constant_(model.weight, 1.0)
        average.update()
    with average.applied():
        # Decays min(.15, 1/10) and min(.15, 2/11): 0 -> .9 -> .15 x .9 + .85
        torch.testing.assert_close(model.weight.item(), 0.985)
    assert model.weight.item() == 1.0


def test_counters_are_copied_and_running_means_averaged():
    model = nn.BatchNorm1d(1)
    average = WeightAverage(model, decay=0.5)
    model.num_batches_tracked.fill_(7)
    model.running_mean.fill_(1.0)
    average.update()
    with average.applied():
        assert model.num_batches_tracked.item() == 7
        torch.testing.assert_close(model.running_mean.item(), 0.9)


def test_of_a_checkpoint_the_averaged_weights_are_taken_and_others_where_there_is_no_average():
    model = nn.BatchNorm1d(1)
    average = WeightAverage(model, decay=0.5)
    model.num_batches_tracked.fill_(7)
    model.running_mean.fill_(1.0)
    average.update()
    checkpoint = {"model": model.state_dict(), "average": average.state_dict()}
    with average.applied():
        applied = {name: value.clone() for name, value in model.state_dict().items()}
    found = averaged(checkpoint)
    assert found.keys() == applied.keys() and all(torch.equal(found[name], applied[name]) for name in applied)
    assert found["running_mean"] != model.running_mean
    assert averaged({**checkpoint, "average": None}) == checkpoint["model"]
