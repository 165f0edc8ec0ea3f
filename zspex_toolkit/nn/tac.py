"""Transform, average, concatenate: parallel groups of channels that exchange what they have in common."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.nn.pointwise import Pointwise, Rectifier
from zspex_toolkit.nn.sequence_norm import SequenceNorm
from zspex_toolkit.nn.streaming import Memory


class TransformAverageConcatenate(nn.Module):
    """h_i = P(W1 x_i);  h = P(W2 mean_i h_i);  u_i = norm(P(W3 [h_i; h]));  output x_i + u_i; P is PReLU.

    All groups share the weights, so they may come in any order and number.

    Args:
        channels: N of every group.
        hidden: H.
        norm: normalise u_i over channels and time.
        residual: add the input; else the output is u_i.
        causal: normalise over what has been heard.

    Source: Luo et al., "End-to-end microphone permutation and number invariant multi-channel speech separation",
    ICASSP 2020, equations 5-7.
    """

    def __init__(self, channels: int, hidden: int, *, norm: bool = True, residual: bool = True, causal: bool = False):
        super().__init__()
        self.hidden = hidden
        self.residual = residual
        self.transform = Pointwise(channels, hidden)
        self.transform_activation = Rectifier()
        self.average = Pointwise(hidden, hidden)
        self.average_activation = Rectifier()
        self.concatenate = Pointwise(2 * hidden, channels)
        self.concatenate_activation = Rectifier()
        self.norm = SequenceNorm(channels, causal=causal) if norm else None

    def forward(
        self,
        groups: Tensor,
        num_frames: Tensor | None = None,
        memory: Memory | None = None,
        *,
        num_outputs: int | None = None,
    ) -> Tensor:
        """Let the groups exchange.

        Args:
            groups: (B, S, L, N).
            num_frames: (B,) true frames; None if all L are.
            memory: of the stream; None if the whole signal comes at once.
            num_outputs: how many groups to give out, the first ones; None for all.

        Returns:
            (B, num_outputs, L, N).
        """
        transformed = self.transform_activation(self.transform(groups))  # (B, S, L, H)
        average = self.average_activation(self.average(transformed.mean(1)))  # (B, L, H)
        # W3 [h_i; h] = W3_own h_i + (W3_mean h + b): the second part is the same for every group.
        own, common = self.concatenate.weight[:, :, 0].split(self.hidden, 1)
        shared = functional.linear(average, common, self.concatenate.bias)  # (B, L, N)
        joined = functional.linear(transformed[:, :num_outputs], own) + shared[:, None]
        update = self.concatenate_activation(joined)
        if self.norm is not None:
            counts = None if num_frames is None else num_frames.repeat_interleave(update.shape[1])
            update = self.norm(update.flatten(0, 1), counts, memory).view_as(update)
        return groups[:, :num_outputs] + update if self.residual else update
