"""TCN blocks do what their description says, layer by layer, and see no farther than they say."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.tcn import ConSM, SpeakerTcn, TcnBlock, dilated_depthwise


def block(**options):
    torch.manual_seed(0)
    return TcnBlock(4, 6, **options)


def with_random_vectors(module):
    for parameter in module.parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter)
    return module


def line_by_line(layer, frames, embedding=None):
    """A block by one operation after the other, without any clever step."""
    joined = frames
    if embedding is not None:
        joined = torch.cat([frames, embedding[:, None].expand(-1, frames.shape[1], -1)], 2)
    hidden = functional.linear(joined, layer.expand.weight[:, :, 0], layer.expand.bias)
    hidden = layer.norm1(functional.prelu(hidden, layer.activation1.weight)).transpose(1, 2)
    padding = (layer.context, 0) if layer.causal else (layer.context // 2, layer.context // 2)
    depthwise = layer.depthwise
    options = {"dilation": depthwise.dilation, "groups": depthwise.groups}
    hidden = functional.conv1d(functional.pad(hidden, padding), depthwise.weight, depthwise.bias, **options)
    hidden = layer.norm2(functional.prelu(hidden.transpose(1, 2), layer.activation2.weight))
    return frames + functional.linear(hidden, layer.project.weight[:, :, 0], layer.project.bias)


def without_checkpoint(layer, frames, embedding=None):
    return frames + layer.project(layer._between(layer._expand(frames, embedding)))


def kept_bytes(layer, compute):
    """What a forward pass keeps for the backward pass, without the parameters."""
    parameters = {parameter.data_ptr() for parameter in layer.parameters()}
    sizes = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = compute()  # alive, so that no storage is counted in the place of another
    assert output.requires_grad
    return sum(sizes.values())


def seen_frames(function, num_frames, at):
    """First and last frame of the input that frame ``at`` of the output depends on by convolutions alone."""
    frames = torch.randn(1, num_frames, 4, requires_grad=True)
    function(frames)[0, at].sum().backward()
    seen = frames.grad[0].abs().sum(1).nonzero()[:, 0]
    return int(seen.min()), int(seen.max())


def without_norms(module):
    for part in module.modules():
        for name in [name for name, _ in part.named_children()]:
            if name.startswith("norm"):
                setattr(part, name, Untouched())
    return module


class Untouched(nn.Module):
    def forward(self, frames, memory=None):
        return frames


# Frames of the output: one, fewer than the dilation or more, and not a multiple of it.
@pytest.mark.parametrize("num_frames", [1, 7, 50, 301])
@pytest.mark.parametrize("num_taps", [2, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3, 8, 128])
def test_a_depthwise_convolution_and_its_gradients_are_those_of_a_dilated_one(num_frames, num_taps, dilation):
    torch.manual_seed(0)
    layer = nn.Conv1d(6, 6, num_taps, dilation=dilation, groups=6)
    frames = torch.randn(2, num_frames + (num_taps - 1) * dilation, 6, requires_grad=True)
    actual, expected = dilated_depthwise(frames, layer), layer(frames.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(actual, expected)
    probe, inputs = torch.randn_like(expected), (frames, layer.weight, layer.bias)
    theirs = torch.autograd.grad((expected * probe).sum(), inputs)
    torch.testing.assert_close(torch.autograd.grad((actual * probe).sum(), inputs), theirs, rtol=1e-4, atol=1e-4)


def test_two_taps_two_frames_apart_by_hand():
    layer = nn.Conv1d(1, 1, 2, dilation=2)
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = torch.tensor([10.0, 1.0]), 0.5
    frames = torch.tensor([[[1.0], [2.0], [3.0], [4.0], [5.0]]])
    assert dilated_depthwise(frames, layer).flatten().tolist() == [13.5, 24.5, 35.5]


# The last two: an outer tap, then every outer tap, sees nothing but padding.
@pytest.mark.parametrize(
    ("num_frames", "kernel_size", "dilation"), [(20, 3, 1), (20, 3, 8), (9, 5, 2), (20, 1, 1), (5, 5, 3), (3, 3, 4)]
)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("joined", [False, True])
def test_a_block_and_its_gradients_are_those_written_line_by_line(num_frames, kernel_size, dilation, causal, joined):
    options = {"kernel_size": kernel_size, "dilation": dilation, "causal": causal}
    layer = with_random_vectors(block(embedding_dim=3 * joined, **options))
    frames, probe = torch.randn(2, num_frames, 4, requires_grad=True), torch.randn(2, num_frames, 4)
    embedding = torch.randn(2, 3) if joined else None
    expected, actual = line_by_line(layer, frames, embedding), layer(frames, embedding)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)
    inputs = {"frames": frames, **dict(layer.named_parameters())}
    theirs = torch.autograd.grad((expected * probe).sum(), inputs.values())
    ours = torch.autograd.grad((actual * probe).sum(), inputs.values())
    for name, one, other in zip(inputs, ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.parametrize("causal", [False, True])
def test_computing_again_gives_the_gradients_of_what_is_kept(causal):
    layer = with_random_vectors(block(dilation=2, embedding_dim=3, causal=causal))
    frames, embedding = torch.randn(2, 9, 4, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    inputs, probe = (frames, embedding, *layer.parameters()), torch.randn(2, 9, 4)
    for amp in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            again, kept = layer(frames, embedding), without_checkpoint(layer, frames, embedding)
        assert torch.equal(again, kept)
        expected = torch.autograd.grad((kept * probe).sum(), inputs)
        torch.testing.assert_close(torch.autograd.grad((again * probe).sum(), inputs), expected)


def test_the_published_block_keeps_less_than_half_of_what_its_layers_keep():
    layer, frames = TcnBlock(256, 512, dilation=4), torch.randn(1, 200, 256)
    kept = kept_bytes(layer, lambda: layer(frames))
    assert kept < 0.5 * kept_bytes(layer, lambda: without_checkpoint(layer, frames))
    assert kept < 1.01 * 200 * (256 + 512 + 512) * 4  # what the products take in, and the first one gives out


@pytest.mark.parametrize("chunk", [1, 3, 20])
@pytest.mark.parametrize("gradients", [False, True])
def test_a_streamed_network_is_that_of_the_whole(chunk, gradients):
    torch.manual_seed(0)
    tcn = with_random_vectors(SpeakerTcn(4, 6, 3, num_blocks=3, num_stacks=2, conditioning="consm", causal=True))
    frames, embedding, memory = torch.randn(2, 20, 4), torch.randn(2, 3), {}
    with torch.set_grad_enabled(gradients):
        streamed = torch.cat([tcn(piece, embedding, memory) for piece in frames.split(chunk, 1)], 1)
    torch.testing.assert_close(streamed, tcn(frames, embedding), rtol=1e-4, atol=1e-4)


def test_under_autocast_the_products_are_rounded_and_the_output_is_not():
    torch.manual_seed(0)
    layer, frames = TcnBlock(32, 64, dilation=2), torch.randn(1, 100, 32, requires_grad=True)
    probe = torch.randn(1, 100, 32)
    full = layer(frames)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer(frames)
    assert rounded.dtype == torch.float32
    assert 1e-6 < (rounded - full).abs().max() / full.abs().max() < 2e-2
    of_full, of_rounded = (torch.autograd.grad((out * probe).sum(), frames)[0] for out in (full, rounded))
    assert 0 < (of_full - of_rounded).norm() < 5e-2 * of_full.norm()


def test_a_block_has_the_published_parameters():
    counted = sum(p.numel() for p in TcnBlock(256, 512).parameters())
    assert counted == (256 * 512 + 512) + 2 * (1 + 2 * 512) + (3 * 512 + 512) + (512 * 256 + 256)
    assert sum(p.numel() for p in TcnBlock(256, 512, embedding_dim=256).parameters()) == counted + 256 * 512


def test_a_centred_network_sees_its_context_on_either_side():
    tcn = without_norms(SpeakerTcn(4, 6, 3, num_blocks=3, num_stacks=2))
    assert tcn.context == 2 * (1 + 2 + 4)
    assert seen_frames(lambda frames: tcn(frames, torch.ones(1, 3)), 60, 30) == (30 - 14, 30 + 14)


def test_a_causal_network_sees_the_past_alone_norms_included():
    tcn = SpeakerTcn(4, 6, 3, num_blocks=3, num_stacks=2, causal=True)
    assert seen_frames(lambda frames: tcn(frames, torch.ones(1, 3)), 60, 40) == (0, 40)
    tcn = without_norms(tcn)
    assert tcn.context == 2 * 2 * (1 + 2 + 4)
    assert seen_frames(lambda frames: tcn(frames, torch.ones(1, 3)), 60, 40) == (40 - 28, 40)


@pytest.mark.parametrize("conditioning", ["concat", "consm"])
def test_only_the_head_of_a_stack_is_told_the_speaker(conditioning):
    tcn = SpeakerTcn(4, 6, 3, num_blocks=3, num_stacks=2, conditioning=conditioning)
    widths = [[layer.expand.in_channels for layer in stack.blocks] for stack in tcn.stacks]
    assert widths == 2 * [[4 + 3 if conditioning == "concat" else 4, 4, 4]]
    assert [stack.modulation is None for stack in tcn.stacks] == 2 * [conditioning == "concat"]


def test_the_embedding_reaches_every_frame():
    tcn = SpeakerTcn(4, 6, 3, num_blocks=1, num_stacks=1)
    frames = torch.randn(1, 8, 4)
    difference = tcn(frames, torch.ones(1, 3)) - tcn(frames, torch.zeros(1, 3))
    assert (difference.abs().amax(2) > 1e-6).all()


def test_an_even_kernel_has_no_centre():
    with pytest.raises(ConfigError, match=r"kernel_size: expected an odd number.*got 4"):
        SpeakerTcn(4, 6, 3, kernel_size=4)
    frames = torch.randn(1, 9, 4)
    assert SpeakerTcn(4, 6, 3, kernel_size=4, causal=True)(frames, torch.ones(1, 3)).shape == frames.shape


def test_modulation_begins_as_the_norm_alone_for_every_speaker():
    frames, embedding = torch.randn(2, 10, 3), torch.randn(2, 4)
    layer = ConSM(3, 4)
    torch.testing.assert_close(layer(frames, embedding), layer.norm(frames))
    assert torch.equal(ConSM(3, 4, norm=False)(frames, embedding), frames)


def test_gain_and_shift_of_a_modulation_by_hand():
    layer = ConSM(1, 2, norm=False)
    with torch.no_grad():
        layer.gamma.weight[:], layer.beta.weight[:] = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 10.0]])
    out = layer(torch.tensor([[[1.0], [2.0]], [[1.0], [2.0]]]), torch.tensor([[3.0, 5.0], [0.0, 0.0]]))
    assert out.tolist() == [[[54.0], [58.0]], [[1.0], [2.0]]]  # gamma 1 + 3 and beta 50; gamma 1 and beta 0
