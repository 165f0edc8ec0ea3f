"""The contract of a loss: a documented function with the name of its file, from what a task offers to a scalar."""

import inspect
from itertools import pairwise

import pytest
import torch

from zspex_toolkit.registry import available, load
from zspex_toolkit.tasks import classification, demixing, embedding, extraction_loss
from zspex_toolkit.tasks.losses import Losses, example, inputs_of

TASKS = {
    "extraction": extraction_loss.OFFERS,
    "embedding": embedding.OFFERS,
    "classification": classification.OFFERS,
    "demixing": demixing.OFFERS,
}
LEARNT = ("estimates", "blind", "speaker_scores", "cosines", "embedding", "estimate")  # what a network makes
CASES = [
    (name, task)
    for name in available("losses")
    for task, offers in TASKS.items()
    if set(inputs_of(load("losses", name))) <= set(offers)
]


def batch_for(name, task, **changes):
    """What the loss takes, as the task offers it, and those of its tensors that a network makes."""
    sizes = {key: value for key, value in changes.items() if len(key) == 1}
    tensors = example({key: TASKS[task][key] for key in inputs_of(load("losses", name))}, **sizes)
    tensors |= {key: value for key, value in changes.items() if key in tensors}
    learnt = [tensors[key].requires_grad_() for key in LEARNT if key in tensors]
    return tensors, learnt


def is_sound(name, tensors, learnt):
    """A finite scalar with finite gradients."""
    value = load("losses", name)(**tensors)
    gradients = torch.autograd.grad(value, learnt)
    return value.shape == () and value.isfinite() and all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("name", available("losses"))
class TestEveryLoss:
    def test_the_function_has_the_name_of_its_file(self, name):
        assert load("losses", name).__name__ == name

    def test_it_is_documented_with_a_worked_example(self, name):
        assert all(part in load("losses", name).__doc__ for part in ("Args:", "Raises:", ">>>"))

    def test_what_it_takes_has_no_default_and_every_option_has_one_and_a_type(self, name):
        options = [p for p in inspect.signature(load("losses", name)).parameters.values() if p.kind is p.KEYWORD_ONLY]
        taken = [p for p in inspect.signature(load("losses", name)).parameters.values() if p not in options]
        assert all(p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty for p in taken)
        assert all(p.default is not p.empty and p.annotation is not p.empty for p in options)

    def test_a_task_offers_all_that_it_takes(self, name):
        assert name in [case for case, _ in CASES]


@pytest.mark.parametrize(("name", "task"), CASES)
class TestEveryLossOfATask:
    def test_it_is_named_in_settings_without_more(self, name, task):
        losses = Losses({name: None}, TASKS[task], task)
        tensors, _ = batch_for(name, task)
        assert losses(tensors)[1][f"loss_{name}"] == load("losses", name)(**tensors)

    @pytest.mark.parametrize("num_estimates", [1, 2, 3])
    def test_a_step_down_its_gradient_lowers_it(self, name, task, num_estimates):
        tensors, learnt = batch_for(name, task, S=num_estimates)
        before = load("losses", name)(**tensors)
        assert before.shape == ()
        values = [before]
        for _ in range(2):
            gradients = torch.autograd.grad(values[-1], learnt)
            assert any(gradient.any() for gradient in gradients)
            with torch.no_grad():
                for tensor, gradient in zip(learnt, gradients, strict=True):
                    tensor -= 1e-3 * gradient
            values.append(load("losses", name)(**tensors))
        assert all(after < before for before, after in pairwise(values))

    @pytest.mark.parametrize("flag", [False, True])
    def test_a_batch_that_has_no_row_for_it_is_finite_too(self, name, task, flag):
        offers = TASKS[task]
        changes = {key: torch.full((4,), flag) for key in offers if offers[key].kind == "flag"}
        changes |= {key: torch.full((4,), -1) for key in offers if offers[key].kind == "known_class"}
        assert is_sound(name, *batch_for(name, task, **changes))

    def test_zeros_anywhere_are_finite(self, name, task):
        tensors, _ = batch_for(name, task)
        floats = [key for key, value in tensors.items() if value.is_floating_point()]
        for zeros in [*([key] for key in floats), floats]:
            changes = {key: torch.zeros_like(tensors[key]) for key in zeros}
            assert is_sound(name, *batch_for(name, task, **changes)), zeros

    def test_a_batch_of_one_row_will_do(self, name, task):
        assert is_sound(name, *batch_for(name, task, B=1, R=1))

    def test_another_number_of_rows_is_refused_and_not_broadcast(self, name, task):
        tensors, learnt = batch_for(name, task)
        for key in tensors:
            if tensors[key] is not learnt[0] and TASKS[task][key].kind != "length":
                with pytest.raises(ValueError, match=r"expected .*got \("):
                    load("losses", name)(**{**tensors, key: tensors[key][:1]})


@pytest.mark.parametrize(
    ("name", "task"), [case for case in CASES if "num_samples" in inputs_of(load("losses", case[0]))]
)
def test_what_lies_behind_the_samples_that_count_does_not_matter(name, task):
    sizes = {"T": 4000, "num_samples": torch.tensor([3000, 2000, 4000, 1000])}
    tensors, learnt = batch_for(name, task, **sizes)
    behind = torch.arange(4000) >= sizes["num_samples"][:, None]
    clean = load("losses", name)(**tensors)
    signals = {key: value.detach() for key, value in tensors.items() if TASKS[task][key].shape.endswith("T")}
    spoilt = {
        key: torch.where(behind[:, None] if value.ndim == 3 else behind, 7.0, value) for key, value in signals.items()
    }
    assert load("losses", name)(**{**tensors, **spoilt}).item() == pytest.approx(clean.item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(clean, learnt)
    assert not gradient[behind[:, None].expand_as(gradient)].any()
    whole = [load("losses", name)(**{**tensors, "num_samples": n}).item() for n in (None, torch.full((4,), 4000))]
    assert whole[0] == pytest.approx(whole[1], rel=1e-6) and whole[0] != pytest.approx(clean.item(), rel=1e-6)
