"""ConSM scales and shifts by the speaker."""

import torch

from zspex_toolkit.nn.consm import ConSM


def test_it_begins_as_the_norm_alone_for_every_speaker():
    frames = torch.randn(2, 10, 3)
    out = ConSM(3, 4)(frames, torch.randn(2, 4))
    variance, mean = torch.var_mean(out, (1, 2), unbiased=False)
    torch.testing.assert_close(mean, torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(variance, torch.ones(2), atol=1e-4, rtol=0)


def test_without_the_norm_it_begins_as_nothing():
    frames = torch.randn(2, 10, 3)
    assert torch.equal(ConSM(3, 4, norm=False)(frames, torch.randn(2, 4)), frames)


def test_gain_and_shift_by_hand():
    layer = ConSM(1, 2, norm=False)
    with torch.no_grad():
        layer.gamma.weight[:], layer.beta.weight[:] = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 10.0]])
    out = layer(torch.tensor([[[1.0], [2.0]]]), torch.tensor([[3.0, 5.0]]))  # gamma 1 + 3, beta 50
    assert out.tolist() == [[[54.0], [58.0]]]


def test_each_mixture_of_a_batch_gets_its_own_speaker():
    layer = ConSM(3, 4)
    torch.nn.init.normal_(layer.gamma.weight)
    frames, embeddings = torch.randn(2, 10, 3), torch.randn(2, 4)
    torch.testing.assert_close(layer(frames, embeddings)[1:], layer(frames[1:], embeddings[1:]))
