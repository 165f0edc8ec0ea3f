"""The de-mixing network joins an embedder and a function."""

import torch

from zspex_toolkit.models.demixers.modulate import Modulate
from zspex_toolkit.models.demixers.subtract import Subtract
from zspex_toolkit.models.demixing_network import DemixingNetwork
from zspex_toolkit.models.embedders.residual_tdnn import ResidualTdnn


def embedder():
    torch.manual_seed(0)
    return ResidualTdnn(4, channels=8, pooled_channels=12, embedding_dim=6)


def test_the_mixture_is_embedded_and_the_known_embedding_passed_on():
    network = DemixingNetwork(embedder(), Subtract(6)).eval()
    feats, known = torch.randn(2, 9, 4), torch.randn(2, 6)
    torch.testing.assert_close(network(feats, None, known), network.demixer(network.embedder(feats), known))


def test_a_frozen_embedder_keeps_its_weights_and_batch_statistics():
    network = DemixingNetwork(embedder(), Subtract(6), freeze_embedder=True).train()
    before = {name: value.clone() for name, value in network.embedder.state_dict().items()}
    network(torch.randn(3, 9, 4), None, torch.randn(3, 6)).sum().backward()
    assert all(parameter.grad is None for parameter in network.embedder.parameters())
    assert all(torch.equal(before[name], value) for name, value in network.embedder.state_dict().items())
    assert network.demixer.training and not network.embedder.training


def test_a_modulating_function_reaches_into_the_frames():
    embed = embedder()
    network = DemixingNetwork(embed, Modulate(6, modulated_channels=embed.modulated_channels)).eval()
    feats, known = torch.randn(2, 9, 4), torch.randn(2, 6)
    before = network(feats, None, known)
    with torch.no_grad():
        network.demixer.shifts[0].bias += 1
    assert not torch.allclose(network(feats, None, known), before, atol=1e-4)
