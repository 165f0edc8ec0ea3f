"""The loss of extraction: worked numbers, rows that count and rows that do not, and silence."""

import math

import pytest
import torch
from torch import nn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.tasks.extraction_loss import ExtractionLoss, LossConfig, energy_left_db, saturated

TONE = torch.sin(0.3 * torch.arange(800.0))
OTHER = torch.cos(0.7 * torch.arange(800.0))


class Fixed(nn.Module):
    """Says what it was told to, whatever it hears."""

    def __init__(self, estimates, scores):
        super().__init__()
        self.estimates, self.scores = nn.Parameter(estimates), nn.Parameter(scores)

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


def evaluated(estimates, rows, scores=None, extra=None, **config):
    """Loss, statistics and network; ``estimates`` are (B, 3, 800), or one signal for all."""
    if estimates.ndim == 1:
        estimates = estimates.expand(len(rows), 3, 800).clone()
    scores = torch.zeros(len(rows), 4) if scores is None else scores
    network = Fixed(estimates, scores)
    value, statistics = ExtractionLoss(LossConfig(**config))(network, batch(*rows, **(extra or {})))
    value.backward()
    assert value.isfinite() and all(p.grad.isfinite().all() for p in network.parameters())
    return value.item(), {name: float(number) for name, number in statistics.items()}, network


def at_db(db: float) -> torch.Tensor:
    """An estimate of TONE with so many dB of SI-SDR: OTHER is all but orthogonal to it."""
    return TONE + OTHER * 10 ** (-db / 20)


def test_the_scales_are_weighted_and_half_the_cross_entropy_is_added():
    estimates = torch.stack([at_db(20), at_db(10), at_db(0)])[None]
    value, statistics, _ = evaluated(estimates, [(TONE, OTHER, 2)])
    assert value == pytest.approx(-(0.8 * 20 + 0.1 * 10) + 0.5 * math.log(4), abs=0.02)
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
    value, statistics, _ = evaluated(estimates, rows, absent=0.5, absent_floor_db=-60.0)
    assert value == pytest.approx((0.5 * -20 - 10) / 2, abs=0.02)
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
    evaluated(estimate, rows, max_si_sdr_db=30.0)


def test_a_perfect_estimate_gives_finite_losses_and_gradients():
    evaluated(TONE, [(TONE, OTHER, 1)])


def test_better_than_the_limit_gains_nothing():
    values = [evaluated(at_db(db), [(TONE, OTHER, -1)], max_si_sdr_db=30.0)[0] for db in (-10, 20, 30, 80)]
    assert values == pytest.approx([10.0, -19.59, -26.99, -30.0], abs=0.03)


def test_saturation_is_smooth_and_keeps_low_ratios():
    ratios = torch.tensor([-40.0, 0.0, 30.0, 200.0], requires_grad=True)
    bent = saturated(ratios, 30.0)
    assert bent.tolist() == pytest.approx([-40.0, -0.00434, 26.9897, 30.0], abs=1e-4)
    bent.sum().backward()
    assert ratios.grad.tolist() == pytest.approx([1.0, 0.999, 0.5, 0.0], abs=1e-3)
    assert saturated(ratios, 0.0) is ratios


def test_the_energy_left_stops_at_its_floor():
    mixture = torch.ones(4, 100)
    estimate = torch.tensor([1.0, 0.1, 0.0, 1e-9])[:, None] * mixture
    left = energy_left_db(estimate, mixture, None, floor_db=-30.0)
    assert left.tolist() == pytest.approx([0.0043, -19.586, -30.0, -30.0], abs=1e-3)
    counted = energy_left_db(estimate, mixture, torch.tensor([10, 50, 1, 100]), floor_db=-30.0)
    assert torch.allclose(counted, left, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scales": ()}, "expected weights of 0 or more"),
        ({"absent": -1.0}, "expected weights of 0 or more"),
        ({"max_si_sdr_db": -1.0}, "max_si_sdr_db of 0 or more"),
        ({"absent_floor_db": 0.0}, "absent_floor_db below 0"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        LossConfig(**settings)


def test_the_wrong_number_of_weights_is_named():
    with pytest.raises(ConfigError, match=r"loss.scales: expected 3 weights, got 2"):
        evaluated(TONE, [(TONE, OTHER, 1)], scales=(0.9, 0.1))


def test_a_mixture_that_two_are_asked_of_counts_in_both_rows():
    rows = [(TONE, OTHER, 0), (2 * OTHER, TONE, 1), (OTHER, TONE, 2), (TONE, 2 * OTHER, 3)]
    estimates = torch.stack([target + 0.1 * other for target, other, _ in rows])[:, None].expand(4, 3, 800).clone()
    whole = batch(*rows)
    once = whole | {"mixture": whole["mixture"][:2]}  # rows 2 and 3 ask of mixtures 0 and 1
    whole["mixture"] = once["mixture"].repeat(2, 1)
    found = [ExtractionLoss(LossConfig())(Fixed(estimates, torch.zeros(4, 4)), one) for one in (once, whole)]
    assert torch.equal(found[0][0], found[1][0]) and found[0][1]["si_sdri"] == found[1][1]["si_sdri"]


def test_a_network_of_one_estimate_and_no_scores_is_trained_by_its_waveform_alone():
    rows = [(TONE, OTHER, 0)]
    network = Fixed(at_db(10)[None, None], torch.zeros(1, 4))
    network.forward = lambda mixture, clue: (network.estimates, None)
    value, statistics = ExtractionLoss(LossConfig())(network, batch(*rows))
    assert value.item() == pytest.approx(-10, abs=0.1) and "speaker_accuracy" not in statistics
