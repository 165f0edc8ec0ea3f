"""Temporal convolutional network: stacks of dilated depthwise convolutions that listen for one speaker."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.pointwise import Pointwise, Rectifier, product
from zspex_toolkit.nn.sequence_norm import SequenceNorm
from zspex_toolkit.nn.streaming import Memory, prepend_past


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
        self.expand = Pointwise(channels + embedding_dim, hidden)
        self.activation1 = Rectifier()
        self.norm1 = SequenceNorm(hidden, causal=causal)
        self.depthwise = nn.Conv1d(hidden, hidden, kernel_size, dilation=dilation, groups=hidden)
        self.activation2 = Rectifier()
        self.norm2 = SequenceNorm(hidden, causal=causal)
        self.project = Pointwise(hidden, channels)

    def forward(self, frames: Tensor, embedding: Tensor | None = None, memory: Memory | None = None) -> Tensor:
        """(B, L, C) and, if the block takes one, the embedding (B, D), to (B, L, C)."""
        hidden = self._expand(frames, embedding)
        if memory is None and torch.is_grad_enabled() and hidden.requires_grad:
            # What lies between the products is cheap to compute again and large to keep: a quarter of the memory.
            hidden = checkpoint(self._between, hidden, use_reentrant=False, preserve_rng_state=False)
        else:
            hidden = self._between(hidden, memory)
        return frames + self.project(hidden)

    def _between(self, hidden: Tensor, memory: Memory | None = None) -> Tensor:
        hidden = self.norm1(self.activation1(hidden), memory=memory)
        if self.causal:
            hidden = prepend_past(hidden, self.context, self.depthwise, memory)
        else:
            hidden = functional.pad(hidden, (0, 0, self.context // 2, self.context // 2))
        return self.norm2(self.activation2(dilated_depthwise(hidden, self.depthwise)), memory=memory)

    def _expand(self, frames: Tensor, embedding: Tensor | None) -> Tensor:
        if embedding is None:
            return self.expand(frames)
        # Conv1x1 of [x, e repeated over L] = W_x x + (W_e e + b): the second part is the same for every frame.
        weight_frames, weight_embedding = self.expand.weight[:, :, 0].split([self.channels, embedding.shape[1]], 1)
        shift = functional.linear(embedding, weight_embedding, self.expand.bias)
        return product(frames, weight_frames) + shift[:, None]


def dilated_depthwise(frames: Tensor, layer: nn.Conv1d) -> Tensor:
    """Depthwise convolution over time without padding, (B, L, C) to (B, L - (P - 1) d, C); P taps, dilation d.

    Frames d apart are written below each other, in d columns: the convolution then has no dilation, runs down the
    columns and takes its channels side by side, for which libraries have their quickest kernels (15 times as quick
    here as one over (B, C, L)).
    """
    (num_taps,), (dilation,) = layer.kernel_size, layer.dilation
    num_frames = frames.shape[1] - (num_taps - 1) * dilation
    columns = functional.pad(frames, (0, 0, 0, -frames.shape[1] % dilation)).unflatten(1, (-1, dilation))
    columns = columns.permute(0, 3, 1, 2)  # (B, C, L / d, d), the channels side by side in memory
    columns = functional.conv2d(columns, layer.weight[:, :, :, None], layer.bias, groups=layer.groups)
    return columns.permute(0, 2, 3, 1).flatten(1, 2)[:, :num_frames]


class ConSM(nn.Module):
    """gamma(e) * x + beta(e), with x normalised first; gamma starts at 1 and beta at 0 for every speaker.

    Args:
        channels: C.
        embedding_dim: D.
        norm: normalise over channels and time first, without gain and bias [ours].
        causal: normalise over what has been heard.

    Source: Chen et al., "MC-SpEx", Interspeech 2023; the formula is a reading of its block diagram.
    """

    def __init__(self, channels: int, embedding_dim: int, *, norm: bool = True, causal: bool = False):
        super().__init__()
        self.norm = SequenceNorm(channels, causal=causal, affine=False) if norm else None
        self.gamma = nn.Linear(embedding_dim, channels)
        self.beta = nn.Linear(embedding_dim, channels)
        for layer, start in ((self.gamma, 1.0), (self.beta, 0.0)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, start)

    def forward(self, frames: Tensor, embedding: Tensor, memory: Memory | None = None) -> Tensor:
        """(B, L, C) and (B, D) to (B, L, C)."""
        gamma, beta = self.gamma(embedding)[:, None], self.beta(embedding)[:, None]
        normed = frames if self.norm is None else self.norm(frames, memory=memory)
        return torch.addcmul(beta, gamma, normed)


class TcnStack(nn.Module):
    """TCN blocks one behind the other, with the speaker embedding at their head.

    Args:
        modulation: what the embedding does to the input; None: it is joined to the input of the first block.
        blocks: of the stack.
    """

    def __init__(self, modulation: ConSM | None, blocks: Sequence[TcnBlock]):
        super().__init__()
        self.modulation = modulation
        self.blocks = nn.ModuleList(blocks)

    def forward(self, frames: Tensor, embedding: Tensor, memory: Memory | None = None) -> Tensor:
        """(B, L, C) and (B, D) to (B, L, C)."""
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
        conditioning: ``concat`` joins the embedding to the input of each stack; ``consm`` modulates that input.
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
        joined = conditioning == "concat"

        def new_stack() -> TcnStack:
            modulation = None if joined else ConSM(channels, embedding_dim, norm=consm_norm, causal=causal)
            blocks = [
                TcnBlock(
                    channels,
                    hidden,
                    kernel_size=kernel_size,
                    dilation=2**position,
                    embedding_dim=embedding_dim if joined and position == 0 else 0,
                    causal=causal,
                )
                for position in range(num_blocks)
            ]
            return TcnStack(modulation, blocks)

        self.stacks = nn.ModuleList(new_stack() for _ in range(num_stacks))
        reach = sum(block.context for stack in self.stacks for block in stack.blocks)
        self.context = reach if causal else reach // 2  # frames seen before (and, unless causal, behind) each frame

    def forward(self, frames: Tensor, embedding: Tensor, memory: Memory | None = None) -> Tensor:
        """(B, L, C) and (B, D) to (B, L, C)."""
        for stack in self.stacks:
            frames = stack(frames, embedding, memory)
        return frames
