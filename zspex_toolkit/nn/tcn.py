"""Temporal convolutional network: stacks of dilated depthwise convolutions that listen for one speaker."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.consm import ConSM
from zspex_toolkit.nn.separate_layers import fuses
from zspex_toolkit.nn.sequence_norm import GlobalNorm, sequence_norm
from zspex_toolkit.nn.streaming import Memory, prepend_past
from zspex_toolkit.nn.tcn_function import BlockWeights, tcn_block


class TcnBlock(nn.Module):
    """Conv1x1, PReLU, norm, dilated depthwise convolution, PReLU, norm, Conv1x1, added to the block's input.

    Args:
        channels: C of input and output.
        hidden: channels in between.
        kernel_size: of the depthwise convolution, odd unless causal.
        dilation: of the depthwise convolution.
        embedding_dim: D of a speaker embedding that is joined to every frame of the input; 0 for none.
        causal: see no later frame, and normalise over what has been heard.

    Source: Luo & Mesgarani, "Conv-TasNet", 2019, Figure 1c without the skip output; Ge et al., "SpEx+", 2020.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        *,
        kernel_size: int = 3,
        dilation: int = 1,
        embedding_dim: int = 0,
        causal: bool = False,
    ):
        super().__init__()
        self.channels = channels
        self.context = (kernel_size - 1) * dilation
        self.causal = causal
        self.expand = nn.Conv1d(channels + embedding_dim, hidden, 1)
        self.activation1 = nn.PReLU()
        self.norm1 = sequence_norm(hidden, causal=causal)
        padding = 0 if causal else self.context // 2
        self.depthwise = nn.Conv1d(hidden, hidden, kernel_size, padding=padding, dilation=dilation, groups=hidden)
        self.activation2 = nn.PReLU()
        self.norm2 = sequence_norm(hidden, causal=causal)
        self.project = nn.Conv1d(hidden, channels, 1)

    def forward(self, frames: Tensor, embedding: Tensor | None = None, memory: Memory | None = None) -> Tensor:
        """(B, C, L) and, if the block takes one, the embedding (B, D), to (B, C, L)."""
        if isinstance(self.norm1, GlobalNorm) and isinstance(self.norm2, GlobalNorm) and fuses(frames):
            return self._fused(frames, embedding)
        hidden = self.norm1(self.activation1(self._expand(frames, embedding)), memory=memory)
        if self.causal:
            hidden = prepend_past(hidden, self.context, self.depthwise, memory)
        hidden = self.norm2(self.activation2(self.depthwise(hidden)), memory=memory)
        return frames + self.project(hidden)

    def _expand(self, frames: Tensor, embedding: Tensor | None) -> Tensor:
        if embedding is None:
            return self.expand(frames)
        weight_frames, shift = self._split(embedding)
        return functional.conv1d(frames, weight_frames[:, :, None]) + shift[:, :, None]

    def _split(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        # Conv1x1 of [x, e repeated over L] = W_x x + (W_e e + b): the second part is the same for every frame.
        weight_frames, weight_embedding = self.expand.weight[:, :, 0].split([self.channels, embedding.shape[1]], 1)
        return weight_frames, functional.linear(embedding, weight_embedding, self.expand.bias)

    def _fused(self, frames: Tensor, embedding: Tensor | None) -> Tensor:
        """The same in few passes over memory; the result has the channels of a frame side by side."""
        if embedding is None:
            weight_frames, shift = self.expand.weight[:, :, 0], self.expand.bias.expand(len(frames), -1)
        else:
            weight_frames, shift = self._split(embedding)
        weights = BlockWeights(
            w_in=weight_frames,
            slope_in=self.activation1.weight,
            gain_in=self.norm1.weight,
            offset_in=self.norm1.bias,
            taps=self.depthwise.weight[:, 0].t(),
            tap_bias=self.depthwise.bias,
            slope_out=self.activation2.weight,
            gain_out=self.norm2.weight,
            offset_out=self.norm2.bias,
            w_out=self.project.weight[:, :, 0],
            b_out=self.project.bias,
        )
        dilation = self.depthwise.dilation[0]
        return tcn_block(frames.transpose(1, 2), shift, weights, dilation=dilation, eps=self.norm1.eps).transpose(1, 2)


class TcnStack(nn.Module):
    """TCN blocks with dilations 1, 2, 4, ..., and the speaker embedding at their head.

    Args:
        channels, hidden, kernel_size, causal: of the blocks.
        num_blocks: X.
        embedding_dim: D.
        conditioning: ``concat`` joins the embedding to the input of the first block; ``consm`` modulates that input.
        consm_norm: as in ``ConSM``.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        *,
        kernel_size: int,
        num_blocks: int,
        embedding_dim: int,
        conditioning: str,
        consm_norm: bool,
        causal: bool,
    ):
        super().__init__()
        joined = conditioning == "concat"
        self.modulation = None if joined else ConSM(channels, embedding_dim, norm=consm_norm, causal=causal)
        self.blocks = nn.ModuleList(
            TcnBlock(
                channels,
                hidden,
                kernel_size=kernel_size,
                dilation=2**position,
                embedding_dim=embedding_dim if joined and position == 0 else 0,
                causal=causal,
            )
            for position in range(num_blocks)
        )

    def forward(self, frames: Tensor, embedding: Tensor, memory: Memory | None = None) -> Tensor:
        """(B, C, L) and (B, D) to (B, C, L)."""
        if self.modulation is not None:
            frames = self.modulation(frames, embedding, memory)
        for position, block in enumerate(self.blocks):
            joined = embedding if position == 0 and self.modulation is None else None
            frames = block(frames, joined, memory)
        return frames


class SpeakerTcn(nn.Module):
    """Stacks of TCN blocks, each told anew whom to listen for.

    Args:
        channels: C of input and output.
        hidden: channels within the blocks.
        embedding_dim: D.
        kernel_size: of the depthwise convolutions.
        num_blocks: X blocks a stack, dilations 1, 2, ..., 2 ** (X - 1).
        num_stacks: R.
        conditioning: ``concat`` or ``consm``, see ``TcnStack``.
        consm_norm: as in ``ConSM``.
        causal: see no later frame.

    Raises:
        ConfigError: for an even kernel that is to be centred.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        embedding_dim: int,
        *,
        kernel_size: int = 3,
        num_blocks: int = 8,
        num_stacks: int = 4,
        conditioning: str = "concat",
        consm_norm: bool = True,
        causal: bool = False,
    ):
        super().__init__()
        if kernel_size % 2 == 0 and not causal:
            raise ConfigError(
                f"kernel_size: expected an odd number, since the network is not causal, got {kernel_size}"
            )
        self.stacks = nn.ModuleList(
            TcnStack(
                channels,
                hidden,
                kernel_size=kernel_size,
                num_blocks=num_blocks,
                embedding_dim=embedding_dim,
                conditioning=conditioning,
                consm_norm=consm_norm,
                causal=causal,
            )
            for _ in range(num_stacks)
        )
        reach = sum(block.context for stack in self.stacks for block in stack.blocks)
        self.context = reach if causal else reach // 2  # frames seen before (and, unless causal, behind) each frame

    def forward(self, frames: Tensor, embedding: Tensor, memory: Memory | None = None) -> Tensor:
        """(B, C, L) and (B, D) to (B, C, L)."""
        for stack in self.stacks:
            frames = stack(frames, embedding, memory)
        return frames
