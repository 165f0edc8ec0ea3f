"""The loss of extraction: worked numbers, rows that count and rows that do not, silence, and networks of any kind."""

import math

import pytest
import torch
from torch import nn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.tasks.extraction_loss import ExtractionLoss, default_losses

TONE = torch.sin(0.3 * torch.arange(800.0))
OTHER = torch.cos(0.7 * torch.arange(800.0))

ZEROS = torch.zeros(8, 4)  # scores of four speakers
SATURATED = {"si_sdr": {"options": {"max_si_sdr_db": 30.0}}, "absent_energy": None, "cross_entropy": {"weight": 0.5}}


class Fixed(nn.Module):
    """Says what it was told to, whatever it hears."""

    def __init__(self, estimates, scores):
        super().__init__()
        self.estimates, self.scores = nn.Parameter(estimates), None if scores is None else nn.Parameter(scores)

    def clue(self, enrollment, lengths=None):
        return None

    def forward(self, mixture, clue):
        return self.estimates, self.scores


def batch(*rows, **extra):
    """Rows of (target, interferer, speaker); an absent target is None, an interferer may be too."""
    silence = torch.zeros(800)
    targets = torch.stack([silence if target is None else target for target, _, _ in rows])
    others = torch.stack([silence if other is None else other for _, other, _ in rows])
    return {
        "ids": [str(number) for number in range(len(rows))],
        "mixture": targets + others,
        "target": targets,
        "enrollment": torch.zeros(len(rows), 100),
        "speaker": torch.tensor([speaker for _, _, speaker in rows]),
        "present": torch.tensor([target is not None for target, _, _ in rows]),
        "alone": torch.tensor([other is None for _, other, _ in rows]),
        **extra,
    }


def evaluated(estimates, rows, scores=ZEROS, extra=None, losses=None):
    """Loss, statistics and network; ``estimates`` are (B, S, 800), or one signal for all of three scales."""
    if estimates.ndim == 1:
        estimates = estimates.expand(len(rows), 3, 800).clone()
    network = Fixed(estimates, scores[: len(rows)] if scores is ZEROS else scores)
    value, statistics = ExtractionLoss(losses)(network, batch(*rows, **(extra or {})))
    value.backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients and value.isfinite() and all(gradient.isfinite().all() for gradient in gradients)
    return value.item(), {name: float(number) for name, number in statistics.items()}, network


def at_db(db: float) -> torch.Tensor:
    """An estimate of TONE with so many dB of SI-SDR: OTHER is all but orthogonal to it."""
    return TONE + OTHER * 10 ** (-db / 20)


def test_the_scales_are_weighted_and_half_the_cross_entropy_is_added():
    estimates = torch.stack([at_db(20), at_db(10), at_db(0)])[None]
    value, statistics, _ = evaluated(estimates, [(TONE, OTHER, 2)])
    assert value == pytest.approx(-(0.8 * 20 + 0.1 * 10) + 0.5 * math.log(4), abs=0.02)
    terms = {name: number for name, number in statistics.items() if name.startswith("loss_")}
    expected = {"loss_si_sdr": -17.0, "loss_absent_energy": 0.0, "loss_cross_entropy": math.log(4)}
    assert terms == pytest.approx(expected, abs=0.02)
    assert statistics["si_sdr"] == pytest.approx(20, abs=0.02)
    assert statistics["si_sdri"] == pytest.approx(20, abs=0.02)  # the mixture has 0 dB


def test_speakers_that_are_no_classes_are_left_out_of_the_cross_entropy():
    scores = torch.tensor([[9.0, 0, 0, 0], [0, 9.0, 0, 0], [0, 0, 0, 0]])
    rows = [(TONE, OTHER, 0), (TONE, OTHER, 0), (TONE, OTHER, -1)]
    value, statistics, network = evaluated(at_db(10), rows, scores)
    entropy = math.log(3 + math.exp(9))
    assert value == pytest.approx(-10 + 0.5 * (entropy - 9 + entropy) / 2, abs=0.02)
    assert statistics["speaker_accuracy"] == 0.5
    assert not network.scores.grad[2].any()


def test_without_any_class_there_is_no_cross_entropy():
    value, statistics, _ = evaluated(at_db(10), [(TONE, OTHER, -1)])
    assert value == pytest.approx(-10, abs=0.02) and math.isnan(statistics["speaker_accuracy"])


def test_an_absent_target_costs_the_energy_that_is_left():
    rows = [(None, OTHER, -1), (TONE, OTHER, -1)]
    estimates = torch.stack([0.1 * OTHER, at_db(10)])[:, None].repeat(1, 3, 1)
    quiet = {"weight": 0.5, "options": {"floor_db": -60.0}}
    value, statistics, _ = evaluated(estimates, rows, losses=default_losses() | {"absent_energy": quiet})
    assert value == pytest.approx((0.5 * -20 - 10) / 2, abs=0.02)
    assert statistics["loss_absent_energy"] == pytest.approx(-20 / 2, abs=0.02)
    assert statistics["loss_si_sdr"] == pytest.approx(-10 / 2, abs=0.02)
    assert statistics["energy_left"] == pytest.approx(-20, abs=0.01)
    assert statistics["si_sdr"] == pytest.approx(10, abs=0.02)  # of the present row alone


def test_a_lone_target_counts_for_the_ratio_but_has_no_improvement():
    _, statistics, _ = evaluated(at_db(15), [(TONE, None, -1)])
    assert statistics["si_sdr"] == pytest.approx(15, abs=0.02) and math.isnan(statistics["si_sdri"])


def test_padding_does_not_count():
    noise = torch.randn(3, 800)
    estimate = torch.where(torch.arange(800) < 500, at_db(10), noise)[None]
    value, _, _ = evaluated(estimate, [(TONE, OTHER, -1)], extra={"num_samples": torch.tensor([500])})
    assert value == pytest.approx(-10, abs=0.1)


@pytest.mark.parametrize("rows", [[(None, OTHER, 1)], [(None, None, 1)], [(torch.zeros(800), OTHER, 1)]])
@pytest.mark.parametrize("estimate", [torch.zeros(800), 1e-4 * TONE, 1e3 * TONE])
def test_silence_anywhere_gives_finite_losses_and_gradients(rows, estimate):
    evaluated(estimate, rows, losses=SATURATED)


def test_a_perfect_estimate_gives_finite_losses_and_gradients():
    evaluated(TONE, [(TONE, OTHER, 1)])


def test_better_than_the_limit_gains_nothing():
    values = [evaluated(at_db(db), [(TONE, OTHER, -1)], losses=SATURATED)[0] for db in (-10, 20, 30, 80)]
    assert values == pytest.approx([10.0, -19.59, -26.99, -30.0], abs=0.03)


def test_a_loss_of_our_own_can_take_the_place_of_any():
    value, statistics, _ = evaluated(at_db(10), [(TONE, OTHER, -1)], losses={"si_sdr": {"weight": 3.0}})
    assert value == pytest.approx(-30, abs=0.1) and "loss_cross_entropy" not in statistics


def test_rows_ask_of_one_mixture_in_turn():
    # Two mixtures, four rows: both first roles, then both second roles.
    rows = [(TONE, OTHER, 0), (2 * TONE, OTHER, 1), (OTHER, TONE, 2), (OTHER, 2 * TONE, -1)]
    lengths = {"num_samples": torch.tensor([800, 500, 800, 500])}
    one_each = batch(*rows, **lengths)
    shared = one_each | {"mixture": one_each["mixture"][:2], "num_samples": lengths["num_samples"][:2]}
    network = Fixed(torch.stack([at_db(10)] * 4)[:, None].repeat(1, 3, 1), torch.eye(4))
    apart, together = (ExtractionLoss()(network, each) for each in (one_each, shared))
    assert torch.equal(apart[0], together[0])
    assert {name: float(value) for name, value in together[1].items()} == pytest.approx(
        {name: float(value) for name, value in apart[1].items()}, nan_ok=True
    )


def test_a_network_of_one_estimate_and_no_scores_is_trained_by_the_waveform_alone(capsys):
    rows = [(TONE, OTHER, 2), (None, OTHER, 1)]
    estimates = torch.stack([at_db(20), 0.1 * OTHER])[:, None]
    loss, network = ExtractionLoss(), Fixed(estimates, None)
    for _ in range(2):
        value, statistics = loss(network, batch(*rows))
    assert value.item() == pytest.approx((-20 - 19.6) / 2, abs=0.05)
    assert "loss_cross_entropy" not in statistics and "speaker_accuracy" not in statistics
    said = "losses: without cross_entropy: this network gives no speaker scores\n"
    assert capsys.readouterr().out == said  # once


def test_scores_that_are_asked_for_and_not_there_are_one_line():
    message = r"losses.cross_entropy: takes speaker_scores, which this network does not give; leave it out"
    with pytest.raises(ConfigError, match=message):
        evaluated(at_db(20)[None, None], [(TONE, OTHER, 2)], scores=None, losses=SATURATED)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ({"si_sdr": {"options": {"scales": []}}}, r"losses\.si_sdr\.options\.scales: expected weights of 0 or more"),
        (
            {"si_sdr": {"options": {"max_si_sdr_db": -1.0}}},
            r"losses\.si_sdr\.options\.max_si_sdr_db: expected a finite",
        ),
        (
            {"absent_energy": {"options": {"floor_db": 0.0}}},
            r"losses\.absent_energy\.options\.floor_db: expected a finite",
        ),
        (
            {"mean_absolute_error": {}},
            "losses.mean_absolute_error: takes estimate, which extraction does not offer; the nearest that it offers "
            "is estimates",
        ),
    ],
)
def test_a_setting_out_of_range_is_named_without_any_data(losses, message):
    with pytest.raises(ConfigError, match=message):
        ExtractionLoss(losses)


def test_the_wrong_number_of_weights_is_named():
    two = {"si_sdr": {"options": {"scales": [0.9, 0.1]}}}
    with pytest.raises(ConfigError, match=r"scales: expected 3 weights, one for each estimate of the network, got 2"):
        evaluated(TONE, [(TONE, OTHER, 1)], losses=two)
