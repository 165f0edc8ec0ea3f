"""What every file under models/extractors/ must do: a new one is tested without being told."""

import inspect

import pytest
import torch

from zspex_toolkit.models.extractor_output import ExtractorOutput
from zspex_toolkit.registry import available, load

SMALL = {
    "num_filters": 8,
    "kernel_sizes": (4, 8, 12),
    "stride": 2,
    "bottleneck": 6,
    "hidden": 12,
    "num_blocks": 2,
    "num_stacks": 2,
    "embedding_dim": 5,
    "speaker_hidden": 9,
    "tac_hidden": 7,
}
EVERY = pytest.mark.parametrize("name", available("models.extractors"))
EITHER = pytest.mark.parametrize("causal", [False, True])


def small(name, *, causal=False):
    """A network of a few thousand parameters; options that it does not have are left out."""
    torch.manual_seed(0)
    constructor = load("models.extractors", name)
    known = inspect.signature(constructor).parameters
    options = {option: value for option, value in {**SMALL, "causal": causal}.items() if option in known}
    return constructor(num_speakers=3, **options)


def inputs(batch=2, num_samples=151, enrollment=130):
    torch.manual_seed(1)
    return torch.randn(batch, num_samples), torch.randn(batch, enrollment)


@EVERY
@EITHER
def test_the_output_has_the_length_of_the_mixture_and_what_the_contract_says(name, causal):
    network = small(name, causal=causal).eval()
    for num_samples in (1, 2, 4, 5, 151):
        output = network(*inputs(num_samples=num_samples))
        assert isinstance(output, ExtractorOutput)
        assert output.estimates.shape[::2] == (2, num_samples)
        assert output.speaker_scores.shape == (2, network.num_speakers) == (2, 3)
        assert all(torch.isfinite(part).all() for part in output)


@EVERY
@EITHER
def test_embed_and_extract_are_the_short_scale_of_forward(name, causal):
    network = small(name, causal=causal).eval()
    mixture, enrollment = inputs()
    output = network(mixture, enrollment)
    torch.testing.assert_close(network.embed(enrollment), output.embedding)
    torch.testing.assert_close(network.extract(mixture, output.embedding), output.estimates[:, 0])


@EVERY
@EITHER
def test_a_batch_gives_what_its_trials_give_alone(name, causal):
    network = small(name, causal=causal).eval()
    mixture, enrollment = inputs()
    together = network(mixture, enrollment)
    for row in range(2):
        alone = network(mixture[row : row + 1], enrollment[row : row + 1])
        for batched, single in zip(together, alone, strict=True):
            torch.testing.assert_close(batched[row : row + 1], single)


@EVERY
@EITHER
def test_what_an_enrollment_is_padded_with_changes_nothing(name, causal):
    network = small(name, causal=causal).eval()
    _, enrollment = inputs()
    padded = torch.cat([enrollment, torch.full((2, 77), 9.0)], 1)
    lengths = [network.min_enrollment_samples, network.min_enrollment_samples + 37]
    together = network.embed(padded, torch.tensor(lengths))
    alone = torch.cat([network.embed(enrollment[[row], :length]) for row, length in enumerate(lengths)])
    torch.testing.assert_close(together, alone)


@EVERY
def test_what_an_enrollment_is_padded_with_changes_nothing_in_training(name):
    mixture, enrollment = inputs()
    wide = torch.cat([enrollment, torch.full((2, 77), 9.0)], 1)
    lengths = torch.tensor([130, 99])
    for narrow, padded in zip(
        small(name).train()(mixture, enrollment, lengths), small(name).train()(mixture, wide, lengths), strict=True
    ):
        torch.testing.assert_close(narrow, padded)


@EVERY
@EITHER
def test_a_gradient_reaches_every_parameter(name, causal):
    network = small(name, causal=causal).train()
    output = network(*inputs(enrollment=1000), torch.tensor([1000, 700]))  # long: a maximum hides what is negative
    (output.estimates.square().sum() + output.speaker_scores.logsumexp(1).sum()).backward()
    without = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert without == []


@EVERY
def test_another_enrollment_gives_another_output_after_a_step(name):
    network = small(name).train()
    mixture, enrollment = inputs()
    optimizer = torch.optim.SGD(network.parameters(), 1e-2)
    network(mixture, enrollment).estimates.square().sum().backward()
    optimizer.step()
    network.eval()
    first, second = (network.extract(mixture, network.embed(torch.randn(2, 130))) for _ in range(2))
    assert not torch.allclose(first, second, atol=1e-5)


@EVERY
@EITHER
def test_its_state_is_all_there_is_to_it(name, causal):
    network, other = small(name, causal=causal), small(name, causal=causal)
    network.train()(*inputs())  # batch statistics
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    other.load_state_dict(network.state_dict())
    for ours, theirs in zip(network.eval()(*inputs()), other.eval()(*inputs()), strict=True):
        assert torch.equal(ours, theirs)


@EVERY
@EITHER
def test_half_precision_is_finite_and_near(name, causal):
    network = small(name, causal=causal).eval()
    mixture, enrollment = inputs(num_samples=2000)
    exact = network(mixture, enrollment)
    with torch.autocast("cpu", torch.bfloat16):
        output = network(mixture, enrollment)
        (output.estimates.square().sum() + output.speaker_scores.float().logsumexp(1).sum()).backward()
    assert output.estimates.dtype == torch.float32
    error = (output.estimates - exact.estimates).square().sum() / exact.estimates.square().sum()
    assert error < 1e-2  # -20 dB
    assert all(torch.isfinite(value.grad).all() for value in network.parameters())


@EVERY
def test_a_few_steps_on_a_toy_problem_lower_the_loss(name):
    """Two tones sound; the enrollment is the one that is meant."""
    network = small(name).train()
    time = torch.arange(400) / 400
    tones = torch.stack([torch.sin(2 * torch.pi * hertz * time) for hertz in (20, 90)])
    mixture, enrollment = tones.sum(0).expand(2, -1), tones[:, :200]
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        output = network(mixture, enrollment)
        error = (output.estimates - tones[:, None]).square().mean()
        loss = error + 0.1 * torch.nn.functional.cross_entropy(output.speaker_scores, torch.arange(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(error.detach()))
    assert losses[-1] < 0.25 < 0.4 < losses[0]  # the mixture itself is 0.5 away, the mean of both tones 0.25
