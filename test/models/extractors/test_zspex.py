"""Z-SpEx is SpEx+ and four switches."""

import itertools

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.extractors import spex_plus
from zspex_toolkit.models.extractors.spex_plus import SpexPlus
from zspex_toolkit.models.extractors.zspex import ZSpex

SMALL = spex_plus.SMALL["plain"]
OFF = {"fuser": "plain", "shared_fuser": False, "conditioning": "concat", "mask_generator": "separate"}
# The ladder: what each row changes of the row before.
LADDER = (
    {"shared_fuser": True},
    {"fuser": "scale_inter"},
    {"conditioning": "consm"},
    {"mask_generator": "scale_inter"},
)


def size(constructor, num_speakers, **options):
    """Parameters of a network, counted without making them."""
    with torch.device("meta"):
        return sum(p.numel() for p in constructor(num_speakers, **options).parameters())


def test_the_full_size_has_11352394_parameters_for_251_speakers():
    assert size(ZSpex, num_speakers=251) == 11_352_394


@pytest.mark.parametrize("causal", [False, True])
def test_with_all_switches_off_it_is_spex_plus(causal):
    torch.manual_seed(0)
    spex = SpexPlus(3, causal=causal, **SMALL).eval()
    zspex = ZSpex(3, causal=causal, **OFF, **SMALL).eval()
    zspex.load_state_dict(spex.state_dict())
    mixture, enrollment = torch.randn(2, 95), torch.randn(2, 120)
    outputs = [network(mixture, network.clue(enrollment))[:2] for network in (zspex, spex)]
    for ours, theirs in zip(*outputs, strict=True):
        assert torch.equal(ours, theirs)


def test_four_switches_lead_from_spex_plus_to_zspex():
    options = dict(OFF)
    sizes = [size(ZSpex, 251, **options)]
    for change in LADDER:
        options |= change
        sizes.append(size(ZSpex, 251, **options))
    exchange = 185_475  # parameters of one transform-average-concatenate
    steps = [after - before for before, after in itertools.pairwise(sizes)]
    assert sizes[0] == size(SpexPlus, 251)
    assert steps == [
        -(2 * 768 + 768 * 256 + 256),  # one layer norm and Conv1x1 less
        exchange + 2 * 256,  # and the norm behind the fuser
        4 * 2 * (256 * 256 + 256) - 4 * 256 * 512,  # gamma and beta of four stacks for the wider first blocks
        exchange,
    ]
    assert sizes[-1] == size(ZSpex, 251)


def test_the_two_controls_are_one_switch_from_zspex():
    full = size(ZSpex, 251)
    assert size(ZSpex, 251, shared_fuser=False) == full + 185_475 + 2 * 768 + 768 * 256 + 256
    assert size(ZSpex, 251, norm=False) == full - 2 * 256


def test_the_norm_comes_with_the_scale_inter_fuser_unless_it_is_asked_for():
    present = {(fuser, norm): ZSpex(2, fuser=fuser, norm=norm, **SMALL).norm is not None
               for fuser in ("plain", "scale_inter") for norm in (None, True, False)}  # fmt: skip
    assert [key for key, value in present.items() if value] == [
        ("plain", True), ("scale_inter", None), ("scale_inter", True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "reading", [{"tac_hidden": 3}, {"tac_norm": False}, {"tac_residual": False}, {"consm_norm": False}]
)
def test_every_reading_can_be_changed_and_changes_the_output(reading):
    mixture, enrollment = torch.randn(1, 95), torch.randn(1, 120)
    outputs = []
    for options in ({}, reading):
        torch.manual_seed(0)
        network = ZSpex(3, **SMALL, **options).eval()
        outputs.append(network.extract(mixture, network.clue(enrollment)))
    assert not torch.allclose(*outputs, atol=1e-4)


@pytest.mark.parametrize("options", [{"conditioning": "concat"}, {"consm_norm": False}, {}])
def test_the_norm_is_done_again_by_a_consm_that_normalises(options):
    mixture, enrollment = torch.randn(1, 95), torch.randn(1, 120)
    outputs = []
    for norm in (True, False):
        torch.manual_seed(0)
        network = ZSpex(3, norm=norm, **SMALL, **options).eval()
        outputs.append(network.extract(mixture, network.clue(enrollment)))
    assert torch.allclose(*outputs, atol=1e-4) == (options == {})


def test_a_shared_fuser_is_saved_once():
    names = ZSpex(2, **SMALL).state_dict()
    assert any(name.startswith("fuser.") for name in names)
    assert not any(name.startswith("enrollment_fuser.") for name in names)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("fuser", "plane", "fuser: expected one of scale_inter, plain, got 'plane'"),
        ("conditioning", "film", "conditioning: expected one of consm, concat, got 'film'"),
        ("mask_generator", "joint", "mask_generator: expected one of scale_inter, separate, got 'joint'"),
    ],
)
def test_an_unknown_choice_is_refused_by_name(option, value, expected):
    with pytest.raises(ConfigError, match=expected):
        ZSpex(2, **{option: value})
