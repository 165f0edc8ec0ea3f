import pytest
import torch

from zspex_toolkit.nn.time_frequency import scan
from zspex_toolkit.nn.time_frequency.scan import gated_scan


def inputs(length, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = ((length, 3, 5), (length, 3, 5), (3, 5))
    return [torch.randn(shape, generator=generator, requires_grad=True) for shape in shapes]


def one_by_one(forget, candidate, state, backwards):
    """The equation, step by step and channel by channel."""
    decay, ahead = forget.sigmoid(), forget.shape[-1] - backwards
    columns = []
    for channel in range(forget.shape[-1]):
        held, steps = state[..., channel], {}
        order = range(len(forget)) if channel < ahead else reversed(range(len(forget)))
        for step in order:
            share = decay[step, ..., channel]
            held = steps[step] = share * held + (1 - share) * candidate[step, ..., channel]
        columns.append(torch.stack([steps[step] for step in range(len(forget))]))
    return torch.stack(columns, -1)


@pytest.fixture(params=["steps", "pieces"])
def way(request, monkeypatch):
    """Both ways of going along: that of a CPU, and on this CPU that of a GPU."""
    if request.param == "pieces":
        monkeypatch.setattr(scan, "_goes_step_by_step", lambda values: False)


@pytest.mark.parametrize("backwards", [0, 2, 5])
@pytest.mark.parametrize("length", [1, 2, 5, 17, 30])
def test_states_and_gradients_are_those_of_the_equation(length, backwards, way):
    ours, theirs = inputs(length), inputs(length)
    weights = torch.randn(length, 3, 5, generator=torch.Generator().manual_seed(1))
    found = gated_scan(*ours, backwards=backwards)
    expected = one_by_one(*theirs, backwards)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5)


def test_a_signal_in_two_parts_gives_what_the_whole_one_gives():
    forget, candidate, state = inputs(20)
    whole = gated_scan(forget, candidate, state)
    first = gated_scan(forget[:7], candidate[:7], state)
    second = gated_scan(forget[7:], candidate[7:], first[-1])
    assert torch.equal(torch.cat([first, second]), whole)


def test_gates_that_are_shut_or_open_by_far_stay_finite(way):
    forget, candidate, _ = inputs(50)
    states = gated_scan(1e4 * forget.sign(), candidate)
    assert states.isfinite().all() and states.abs().max() <= candidate.abs().max()


def test_half_precision_comes_in_and_single_precision_goes_out(way):
    forget, candidate, _ = (value.detach().bfloat16().requires_grad_() for value in inputs(9))
    states = gated_scan(forget, candidate)
    states.sum().backward()
    assert states.dtype == torch.float32 and forget.grad.dtype == candidate.grad.dtype == torch.bfloat16
