"""Time-delay layers see exactly the frames they are said to see."""

import torch

from zspex_toolkit.nn.tdnn import ResidualTdnnBlock, TdnnLayer, pad_edges


def test_edges_repeat_the_first_and_last_true_frame():
    feats = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 99.0]])[:, :, None]
    padded = pad_edges(feats, torch.tensor([3, 2]), 2)[:, :, 0]
    assert padded.tolist() == [[1, 1, 1, 2, 3, 3, 3], [4, 4, 4, 5, 5, 5, 5]]


def test_edges_without_lengths_are_those_of_full_utterances():
    feats = torch.randn(2, 5, 3)
    assert torch.equal(pad_edges(feats, None, 4), pad_edges(feats, torch.tensor([5, 5]), 4))


def test_a_layer_is_affine_then_relu_then_batch_norm():
    layer = TdnnLayer(1, 1, context=1).eval()
    with torch.no_grad():
        layer.affine.weight[:] = torch.tensor([[[1.0, 10.0, 100.0]]])
        layer.affine.bias[:] = -300.0
        layer.norm.running_mean[:] = 1.0
    frames = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    expected = (torch.tensor([321.0, 432.0]) - 300 - 1) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(layer(frames)[0, 0], expected)


def test_a_residual_block_adds_its_own_input_frame_for_frame():
    block = ResidualTdnnBlock(3).eval()
    for parameter in block.narrow.parameters():
        torch.nn.init.zeros_(parameter)
    frames = torch.randn(2, 3, 9)
    torch.testing.assert_close(block(frames), frames[:, :, 2:-2])
