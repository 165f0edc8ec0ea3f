"""Every de-mixing function keeps the contract; the printed ones follow their equations."""

import inspect
import operator

import pytest
import torch

from zspex_toolkit.registry import available, load

DIM = 4


def build(name: str, **options):
    torch.manual_seed(0)
    constructor = load("models.demixers", name)
    if "modulated_channels" in inspect.signature(constructor).parameters:
        options["modulated_channels"] = (3, 5)
    return constructor(DIM, **options).eval()


def pair():
    torch.manual_seed(1)
    return torch.randn(3, DIM), torch.randn(3, DIM)


@pytest.mark.parametrize("name", available("models.demixers"))
def test_two_embeddings_give_one_of_the_same_size_that_depends_on_both(name):
    demixer = build(name)
    mixture, known = pair()
    other = demixer(mixture, known)
    assert other.shape == (3, DIM)
    assert not torch.allclose(demixer(mixture + 1, known), other)
    assert not torch.allclose(demixer(mixture, known + torch.arange(DIM)), other)


@pytest.mark.parametrize("name", available("models.demixers"))
def test_an_item_does_not_depend_on_its_batch(name):
    demixer = build(name)
    mixture, known = pair()
    torch.testing.assert_close(demixer(mixture, known)[1:2], demixer(mixture[1:2], known[1:2]))


@pytest.mark.parametrize(("name", "joined"), [("subtract", operator.sub), ("multiply", operator.mul)])
def test_subtract_and_multiply_are_affine_maps_of_difference_and_product(name, joined):
    demixer = build(name)
    mixture, known = pair()
    expected = joined(mixture, known) @ demixer.output.weight.T + demixer.output.bias
    torch.testing.assert_close(demixer(mixture, known), expected)


@pytest.mark.parametrize(
    ("name", "num_parameters"),
    [
        ("subtract", DIM * DIM + DIM),
        ("multiply", DIM * DIM + DIM),
        ("concat1", 2 * DIM * DIM + DIM),
        ("concat2", 2 * DIM * DIM + DIM + 2 * DIM + DIM * DIM),
        ("share_concat", DIM * DIM + DIM + 2 * DIM + 2 * DIM * DIM + DIM),
        ("separate_concat", 2 * (DIM * DIM + DIM + 2 * DIM) + 2 * DIM * DIM + DIM),
    ],
)
def test_a_printed_function_has_the_weights_of_its_equation(name, num_parameters):
    assert sum(p.numel() for p in build(name).parameters()) == num_parameters


@pytest.mark.parametrize("name", ["share_concat", "separate_concat"])
def test_relu_output_reproduces_the_print_and_is_off_by_default(name):
    mixture, known = pair()
    signed = build(name)(mixture, known)
    assert (signed < 0).any()
    torch.testing.assert_close(build(name, relu_output=True)(mixture, known), signed.clamp(min=0))


def test_share_concat_reads_both_embeddings_with_one_layer():
    demixer = build("share_concat")
    mixture, known = pair()
    hidden = [demixer.norm(torch.relu(demixer.hidden(e))) for e in (mixture, known)]
    torch.testing.assert_close(demixer(mixture, known), demixer.output(torch.cat(hidden, 1)))


def test_modulate_starts_close_to_the_unmodulated_mixture():
    demixer = build("modulate")
    mixture, known = pair()
    for (scale, shift), width in zip(demixer.modulation(known), (3, 5), strict=True):
        assert scale.shape == shift.shape == (3, width)
        assert (scale - 1).abs().max() < 0.1 and shift.abs().max() < 0.1
    assert (demixer(mixture, known) - mixture).abs().max() < 0.1
