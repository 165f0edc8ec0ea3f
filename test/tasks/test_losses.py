"""Losses of a task by name: their weighted sum, what they take, and one line for what cannot be."""

import sys

import pytest
import torch

import zspex_toolkit.losses
from zspex_toolkit.config import parse_args
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.tasks import classification, demixing, embedding, extraction, extraction_loss
from zspex_toolkit.tasks.losses import Losses, example, inputs_of

OFFERS = demixing.OFFERS
BOTH = {"mean_absolute_error": {"weight": 2.0}, "cosine_distance": {"weight": 0.5}}
RIGHT_ANGLE = {"estimate": torch.tensor([[3.0, 0.0]]), "reference": torch.tensor([[0.0, 1.0]])}


def test_the_sum_is_weighted_and_each_loss_is_told_as_it_is():
    total, report = Losses(BOTH, OFFERS, "this")(RIGHT_ANGLE)
    assert total.item() == pytest.approx(2 * 2.0 + 0.5 * 1.0)
    assert report == {"loss_mean_absolute_error": torch.tensor(2.0), "loss_cosine_distance": torch.tensor(1.0)}


def test_a_weight_of_zero_leaves_a_loss_out():
    total, report = Losses(BOTH | {"cosine_distance": {"weight": 0}}, OFFERS, "this")(RIGHT_ANGLE)
    assert total.item() == 4.0 and list(report) == ["loss_mean_absolute_error"]


def test_options_change_what_a_loss_computes():
    scores = {"speaker_scores": torch.tensor([[2.0, 0.0]]), "speaker": torch.tensor([0])}
    sharp, smooth = (
        Losses({"cross_entropy": {"options": {"label_smoothing": amount}}}, OFFERS, "this")(scores)[0]
        for amount in (0.0, 0.5)
    )
    # Of the target half is spread evenly over both classes: a quarter of it is on the class 2 nats away.
    assert smooth.item() - sharp.item() == pytest.approx(0.25 * 2)


def test_the_gradient_flows_through_the_sum_and_not_through_what_is_told():
    tensors = {name: tensor.clone().requires_grad_() for name, tensor in RIGHT_ANGLE.items()}
    total, report = Losses(BOTH, OFFERS, "this")(tensors)
    total.backward()
    assert tensors["estimate"].grad.any() and not any(value.requires_grad for value in report.values())


def test_of_a_part_of_the_tensors_the_losses_are_taken_that_need_no_more():
    losses = Losses({"mean_absolute_error": None, "cross_entropy": {"weight": 2.0}}, OFFERS, "this")
    given = {"speaker_scores": torch.zeros(1, 4), "speaker": torch.tensor([1])}
    total, report = losses(given, partial=True)
    assert total.item() == pytest.approx(2 * torch.tensor(4.0).log().item())
    assert report["loss_mean_absolute_error"].isnan()
    assert losses.computable(given) == ["cross_entropy"] and losses.taking("reference") == ["mean_absolute_error"]
    with pytest.raises(ConfigError, match="mean_absolute_error: takes estimate, which this network does not give"):
        losses(given)
    with pytest.raises(ConfigError, match="none of mean_absolute_error, cross_entropy can be computed from known"):
        losses({"known": torch.zeros(1, 4)}, partial=True)


def test_a_file_is_all_that_a_loss_needs(tmp_path, monkeypatch):
    (tmp_path / "largest_error.py").write_text(
        "__all__ = ['largest_error']\n"
        "def largest_error(estimates, target, *, power: float = 1.0):\n"
        "    return ((estimates[:, 0] - target).abs() ** power).amax(-1).mean()\n"
    )
    monkeypatch.setattr(zspex_toolkit.losses, "__path__", [*zspex_toolkit.losses.__path__, str(tmp_path)])
    monkeypatch.setitem(sys.modules, "zspex_toolkit.losses.largest_error", None)  # forgotten behind the test
    del sys.modules["zspex_toolkit.losses.largest_error"]
    settings = {"si_sdr": None, "largest_error": {"weight": 0.5, "options": {"power": 2.0}}}
    losses = Losses(settings, extraction_loss.OFFERS, "extraction")
    target = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    noisy = (target + torch.tensor([[0.1, 0.1, -0.1, -0.1]]))[:, None]
    total, report = losses({"estimates": noisy, "target": target, "present": torch.tensor([True]), "num_samples": None})
    assert report["loss_largest_error"].item() == pytest.approx(0.01)
    assert total.item() == pytest.approx(-20 + 0.5 * 0.01, abs=1e-3)
    with pytest.raises(ConfigError, match=r"losses.largest_error.options: unknown setting powr; did you mean power"):
        Losses({"largest_error": {"options": {"powr": 2}}}, extraction_loss.OFFERS, "extraction")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mean_absolut_error": None}, "'mean_absolut_error' in losses; did you mean 'mean_absolute_error'?"),
        ({"mean_absolute_error": 0.6}, r"losses.mean_absolute_error: expected {weight: ..., options: {...}}, got 0.6"),
        ({"cross_entropy": {"wieght": 1}}, "losses.cross_entropy: unknown setting wieght; did you mean weight?"),
        ({"cross_entropy": {"smoothing": 1}}, "unknown setting smoothing; expected weight or options"),
        ({"cross_entropy": {"weight": -1}}, "cross_entropy.weight: expected a finite number of 0 or more, got -1"),
        ({"cross_entropy": {"weight": "x"}}, "cross_entropy.weight: expected a finite number of 0 or more, got 'x'"),
        ({"cross_entropy": {"weight": float("nan")}}, "cross_entropy.weight: expected a finite number of 0 or more"),
        ({"cross_entropy": {"options": 3}}, r"losses.cross_entropy.options: expected {name: value}, got 3"),
        (
            {"cross_entropy": {"options": {"label_smothing": 0.1}}},
            "losses.cross_entropy.options: unknown setting label_smothing; did you mean label_smoothing",
        ),
        (
            {"cross_entropy": {"options": {"label_smoothing": "much"}}},
            "losses.cross_entropy.options.label_smoothing: expected a finite number, got 'much'",
        ),
        ({"si_sdr": None}, "takes estimates, which this does not offer; the nearest that it offers is estimate"),
        ({"additive_angular_margin": None}, "takes cosines, which this does not offer; it offers estimate, ref"),
        ({}, "losses: expected a weight above 0 for one of them"),
        ({"cross_entropy": {"weight": 0}}, "losses: expected a weight above 0 for one of them"),
    ],
)
def test_what_cannot_be_is_one_line(settings, message):
    with pytest.raises(ConfigError) as refusal:
        Losses(settings, OFFERS, "this")
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


TASKS = {extraction: extraction_loss.OFFERS, embedding: embedding.OFFERS, classification: classification.OFFERS}


@pytest.mark.parametrize(("task", "offers"), [*TASKS.items(), (demixing, OFFERS)])
def test_the_losses_of_a_task_are_replaced_as_a_whole_by_a_file_and_one_by_one_by_options(task, offers, tmp_path):
    paths = [
        f"--{name}={name}" for name in ("data", "embedder", "clean_speakers") if name in task.Config.__annotations__
    ]
    ours = {name: {"weight": 3.0} for name in task.Config.__dataclass_fields__["losses"].default_factory()}
    (tmp_path / "own.yaml").write_text(f"losses: {ours}\n".replace("'", ""))
    known = ["--exp_dir", "exp", *paths, "--config", str(tmp_path / "own.yaml")]
    assert parse_args(task.Config, known).losses == ours
    first = next(iter(ours))
    changed = parse_args(task.Config, [*known, f"--losses.{first}", "{weight: 5.0}"])
    assert changed.losses == ours | {first: {"weight": 5.0}}
    assert Losses(changed.losses, offers, "this").inputs.keys() == ours.keys()
    with pytest.raises(ConfigError, match=rf"--losses.{first}.weight: expected the whole entry, as --losses.{first} '"):
        parse_args(task.Config, [*known, f"--losses.{first}.weight", "5"])


def test_made_up_batches_have_the_shapes_that_are_told():
    tensors = example(extraction_loss.OFFERS, S=3, R=6, T=100)
    assert tensors["estimates"].shape == (6, 3, 100) and tensors["speaker"].tolist() == [-1, 0, 1, 2, 3, -1]
    assert tensors["present"].dtype == torch.bool and tensors["num_samples"].max() == 100


def test_options_are_no_inputs():
    def loss(estimate, reference, *, margin=1.0):
        return estimate + reference + margin

    assert inputs_of(loss) == ("estimate", "reference")
