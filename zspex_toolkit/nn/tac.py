"""Transform, average, concatenate: parallel groups of channels that exchange what they have in common."""

from __future__ import annotations

from torch import Tensor, nn

from zspex_toolkit.nn.exchange_function import ExchangeWeights
from zspex_toolkit.nn.pointwise import Pointwise, Rectifier, pointwise
from zspex_toolkit.nn.sequence_norm import GlobalNorm, sequence_norm
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
        self.norm = sequence_norm(channels, causal=causal) if norm else None

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
            groups: (B, S, N, L).
            num_frames: (B,) true frames; None if all L are.
            memory: of the stream; None if the whole signal comes at once.
            num_outputs: how many groups to give out, the first ones; None for all.

        Returns:
            (B, num_outputs, N, L).
        """
        batch = groups.shape[0]
        transformed = self.transform_activation(self.transform(groups.flatten(0, 1)))  # (B S, H, L)
        transformed = transformed.unflatten(0, (batch, -1))
        average = self.average_activation(self.average(transformed.mean(1)))  # (B, H, L)
        # W3 [h_i; h] = W3_own h_i + (W3_mean h + b): the second part is the same for every group.
        own, common = self.concatenate.weight.split(self.hidden, 1)
        shared = pointwise(average, common, self.concatenate.bias)  # (B, N, L)
        kept = transformed[:, :num_outputs]
        joined = pointwise(kept.flatten(0, 1), own).unflatten(0, (batch, -1)) + shared[:, None]
        update = self.concatenate_activation(joined)
        if self.norm is not None:
            counts = None if num_frames is None else num_frames.repeat_interleave(kept.shape[1])
            update = self.norm(update.flatten(0, 1), counts, memory).unflatten(0, (batch, -1))
        return groups[:, :num_outputs] + update if self.residual else update

    def weights(self) -> ExchangeWeights | None:
        """Parameters of the fused layer, which there is with a norm of the whole signal and a residual; else None."""
        if not (self.residual and isinstance(self.norm, GlobalNorm)):
            return None
        layers = (
            (self.transform, self.transform_activation),
            (self.average, self.average_activation),
            (self.concatenate, self.concatenate_activation),
        )
        weights = [w for layer, slope in layers for w in (layer.weight[:, :, 0], layer.bias, slope.weight)]
        return ExchangeWeights(*weights, self.norm.weight, self.norm.bias)
