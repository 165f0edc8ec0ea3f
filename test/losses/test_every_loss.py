"""The contract of a loss: one documented function with the name of its file, (estimate, reference) to a scalar."""

import inspect

import pytest
import torch

from zspex_toolkit.registry import available, load

EMBEDDINGS, CLASSES = torch.tensor([[0.6, 0.8], [0.0, 1.0]]), torch.tensor([1, 0])


def accepted(loss) -> list[torch.Tensor]:
    """Which references the loss takes: embeddings (B, D) or classes (B,); the other kind it must refuse."""
    kinds = []
    for reference in (EMBEDDINGS, CLASSES):
        try:
            loss(torch.tensor([[0.5, -0.5], [0.1, 0.2]]), reference)
            kinds.append(reference)
        except ValueError as refusal:
            assert "expected" in str(refusal)
    return kinds


@pytest.mark.parametrize("name", available("losses"))
class TestEveryLoss:
    def test_the_function_has_the_name_of_its_file(self, name):
        assert load("losses", name).__name__ == name

    def test_it_is_documented_with_a_worked_example(self, name):
        assert all(part in load("losses", name).__doc__ for part in ("Args:", "Raises:", ">>>"))

    def test_it_takes_estimate_then_reference_and_all_else_by_name(self, name):
        parameters = list(inspect.signature(load("losses", name)).parameters.values())
        assert [parameter.name for parameter in parameters[:2]] == ["estimate", "reference"]
        assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters[2:])

    def test_it_takes_one_kind_of_reference_and_refuses_the_other(self, name):
        assert len(accepted(load("losses", name))) == 1

    def test_a_step_down_its_gradient_lowers_it(self, name):
        loss = load("losses", name)
        (reference,) = accepted(loss)
        estimate = torch.tensor([[0.5, -0.5], [0.1, 0.2]], requires_grad=True)
        before = loss(estimate, reference)
        assert before.shape == ()
        (gradient,) = torch.autograd.grad(before, estimate)
        assert loss(estimate - 1e-3 * gradient, reference) < before
