"""Muon: momentum whose matrices are made orthogonal before the step; Adam for all that is no matrix."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.device import resolve_amp
from zspex_toolkit.train.processes import ALONE, Processes

__all__ = ["Muon"]

SMALLEST_SIDE = 16  # of a matrix; thinner ones gain nothing from being made orthogonal
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration (Jordan et al.)
NUM_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """One optimiser of two kinds of step.

    Weights of linear layers and of 1x1 convolutions with both sides of 16 or more move along the orthogonal factor of
    their momentum, scaled so that its root mean square is that of an Adam step times ``matrix_learning_rate_scale``;
    everything else (biases, norms, filters, slopes) moves by Adam.

    Args:
        groups: parameter groups with ``lr``.
        config: with ``matrix_momentum`` (Nesterov's), ``matrix_learning_rate_scale`` (rate of the matrices over that of
            the others), ``betas`` and ``eps`` of Adam, and the ``weight_decay`` of both, which is decoupled.

    Sources: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024 (the iteration); Liu et al.,
    "Muon is scalable for LLM training", arXiv 2502.16982, 2025, equation 4 (the scale 0.2 sqrt(max(m, n))).
    """

    def __init__(self, groups: list[dict], config: TrainConfig):
        matrices = {"momentum": config.matrix_momentum, "matrix_scale": config.matrix_learning_rate_scale}
        others = {"betas": config.betas, "eps": config.eps, "weight_decay": config.weight_decay}
        super().__init__(groups, {"lr": config.learning_rate, **matrices, **others})
        self._amp = config.amp
        self.agree(ALONE)

    def agree(self, processes: Processes) -> None:
        """Multiply in half precision if the training does, on all of its processes: else their networks would part."""
        device = self.param_groups[0]["params"][0].device
        can = processes.gather(resolve_amp(self._amp, device) == "bf16")
        self._dtype = torch.bfloat16 if all(can) else torch.float32

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """Move every parameter that has a gradient."""
        assert closure is None, "no use for a closure"
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            if group["weight_decay"]:
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            for key, alike in self._alike(parameters).items():
                (self._matrix_step if isinstance(key, tuple) else self._adam_step)(alike, group)

    def _alike(self, parameters: list[Tensor]) -> dict[tuple[int, int] | int, list[Tensor]]:
        """Matrices by their sides, the shorter first; and what Adam moves by the number of its steps so far."""
        alike = defaultdict(list)
        for parameter in parameters:
            state = self.state[parameter]
            if is_matrix(parameter):
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                alike[tuple(sorted(parameter.shape[:2]))].append(parameter)
            else:
                if not state:
                    state.update(step=0, mean=torch.zeros_like(parameter), mean_square=torch.zeros_like(parameter))
                alike[state["step"]].append(parameter)
        return alike

    def _matrix_step(self, parameters: list[Tensor], group: dict) -> None:
        gradients = [parameter.grad for parameter in parameters]
        momenta = [self.state[parameter]["momentum"] for parameter in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = [matrix.flatten(1) for matrix in torch._foreach_lerp(gradients, momenta, group["momentum"])]
        upright = [matrix.shape[0] > matrix.shape[1] for matrix in ahead]
        wide = torch.stack([matrix.t() if turned else matrix for matrix, turned in zip(ahead, upright, strict=True)])
        size = 0.2 * wide.shape[2] ** 0.5
        moves = orthogonal_factor(wide, self._dtype) * (-group["lr"] * group["matrix_scale"] * size)
        for parameter, move, turned in zip(parameters, moves, upright, strict=True):
            parameter.add_((move.t() if turned else move).view_as(parameter))

    def _adam_step(self, parameters: list[Tensor], group: dict) -> None:
        states = [self.state[parameter] for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters]
        means, squares = [state["mean"] for state in states], [state["mean_square"] for state in states]
        for state in states:
            state["step"] += 1
        step, (first, second) = states[0]["step"], group["betas"]
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
        unbiased = torch._foreach_div(squares, 1 - second**step)
        torch._foreach_sqrt_(unbiased)
        torch._foreach_add_(unbiased, group["eps"])
        torch._foreach_addcdiv_(parameters, means, unbiased, -group["lr"] / (1 - first**step))


def is_matrix(parameter: Tensor) -> bool:
    """Whether the parameter is the weight of a linear layer or a 1x1 convolution, and not a thin one."""
    sides = parameter.shape[:2]
    return parameter.dim() >= 2 and parameter.numel() == sides[0] * sides[1] and min(sides) >= SMALLEST_SIDE


def orthogonal_factor(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """U V^T of each matrix U S V^T, nearly: singular values end between 0.7 and 1.2.

    Half precision is enough: the iteration is nowhere near as exact as its arithmetic. Where the processor only
    emulates it, single precision is faster.

    Args:
        matrices: (K, m, n), m <= n.
        dtype: of the factors of the Newton-Schulz iteration.

    >>> factor = orthogonal_factor(torch.diag(torch.tensor([3.0, 1.0]))[None], torch.float32)[0]
    >>> bool(factor.diagonal().sub(1).abs().max() < 0.35)
    True
    """
    x = matrices.float()
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(dtype)
    a, b, c = COEFFICIENTS
    for _ in range(NUM_ITERATIONS):
        gram = torch.bmm(x, x.mT)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.to(matrices.dtype)
