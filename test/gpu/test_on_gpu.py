"""What the networks compute on a GPU is what they compute on a CPU, in half precision and compiled, too.

Skipped where there is no GPU; ZSPEX_TEST_DEVICE=cpu runs all of it on the CPU, to try the tests themselves.
"""

import os

import pytest
import torch

from zspex_toolkit.models.clue import Clue
from zspex_toolkit.nn.time_frequency.scan import gated_scan
from zspex_toolkit.registry import available, load, load_module
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.optimizer import build_optimizer

DEVICE = torch.device(os.environ.get("ZSPEX_TEST_DEVICE", "cuda"))
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(DEVICE.type == "cuda" and not torch.cuda.is_available(), reason="no GPU"),
]
NAMES = available("models.extractors")
KINDS = [(name, kind) for name in NAMES for kind in load_module("models.extractors", name).SMALL]
EVERY = pytest.mark.parametrize("kind", KINDS, ids="-".join)
NEAR = {"rtol": 1e-3, "atol": 1e-4}


@pytest.fixture(autouse=True)
def single_precision():
    """Products of a GPU in full single precision, not in its shortened one."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def small(kind):
    torch.manual_seed(0)
    name, settings = kind
    options = load_module("models.extractors", name).SMALL[settings]
    return load("models.extractors", name)(num_speakers=3, **options)


def noise(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def outputs(network, device):
    """Of two mixtures and four enrollments of different lengths; the scalar of all outputs together, too."""
    if network.clue_dim:
        clue = Clue(noise(4, network.clue_dim, seed=2).to(device))
    else:
        clue = network.clue(noise(4, 6000, seed=2).to(device), torch.tensor([6000, 4000, 5000, 6000]).to(device))
    output = network(noise(2, 5000).to(device), clue)
    found = [part for part in output if part is not None]
    return found, sum((part.float() * noise(*part.shape, seed=3).to(device)).mean() for part in found)


def assert_near(found, expected, share=1e-3):
    """Up to a share of the largest number."""
    scale = float(expected.abs().max())
    torch.testing.assert_close(found.float().cpu(), expected, rtol=0, atol=share * scale + 1e-6)


@EVERY
def test_outputs_and_gradients_are_those_of_the_cpu(kind):
    there, here = small(kind).to(DEVICE).eval(), small(kind).eval()
    (found, value), (expected, reference) = outputs(there, DEVICE), outputs(here, "cpu")
    for one, other in zip(found, expected, strict=True):
        assert_near(one.detach(), other.detach())
    value.backward()
    reference.backward()
    gradients = dict(there.named_parameters())
    for name, parameter in here.named_parameters():
        if parameter.grad is not None:
            assert_near(gradients[name].grad, parameter.grad, share=1e-2)


@EVERY
def test_half_precision_is_finite_and_near(kind):
    network = small(kind).to(DEVICE).eval()
    exact, _ = outputs(network, DEVICE)
    with torch.autocast(DEVICE.type, torch.bfloat16):
        found, value = outputs(network, DEVICE)
    value.backward()
    error = (found[0] - exact[0]).square().sum() / exact[0].square().sum()
    assert error < 1e-2  # -20 dB
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.grad is not None)


@pytest.mark.parametrize("backwards", [0, 3, 5])
@pytest.mark.parametrize("length", [1, 7, 188, 400])
def test_the_scan_is_that_of_the_cpu(length, backwards):
    inputs = [noise(length, 3, 5, seed=1), noise(length, 3, 5, seed=2), noise(3, 5, seed=3)]
    results = []
    for device in (DEVICE, "cpu"):
        own = [value.to(device).requires_grad_() for value in inputs]
        states = gated_scan(*own, backwards=backwards)
        (states * noise(length, 3, 5, seed=4).to(device)).sum().backward()
        results.append([states.detach().cpu(), *(value.grad.cpu() for value in own)])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, **NEAR)


@pytest.mark.parametrize("optimizer", available("train.optimizers"))
def test_a_few_steps_of_every_optimizer_lower_the_loss(optimizer):
    network = small(("band_split", "both")).to(DEVICE).train()
    steps = build_optimizer(network, TrainConfig(optimizer=optimizer, learning_rate=3e-3))
    time = torch.arange(4000, device=DEVICE) / 4000
    tones = torch.stack([torch.sin(2 * torch.pi * hertz * time) for hertz in (200, 900)])
    losses = []
    for _ in range(30):
        with torch.autocast(DEVICE.type, torch.bfloat16):
            estimates = network(tones.sum(0)[None], network.clue(tones)).estimates
        loss = (estimates[:, 0] - tones).square().mean()
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


@pytest.mark.slow
@pytest.mark.parametrize("recurrence", ["sru", "lstm"])
def test_compiled_it_gives_what_it_gives_else(recurrence):
    name, settings = "band_split", load_module("models.extractors", "band_split").SMALL["both"]
    torch.manual_seed(0)
    network = load("models.extractors", name)(num_speakers=3, **settings, recurrence=recurrence).to(DEVICE).eval()
    mixture, enrollment = noise(1, 1500).to(DEVICE), noise(1, 1000, seed=2).to(DEVICE)

    def extract(mixture, enrollment):
        return network.extract(mixture, network.clue(enrollment))

    with torch.no_grad():
        assert_near(torch.compile(extract)(mixture, enrollment), extract(mixture, enrollment).cpu())
