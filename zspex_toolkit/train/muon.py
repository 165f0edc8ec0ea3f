"""Muon: momentum whose matrices are made orthogonal before the step; Adam for all that is no matrix."""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST_SIDE = 16  # of a matrix; thinner ones gain nothing from being made orthogonal
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration (Jordan et al.)


class Muon(torch.optim.Optimizer):
    """One optimiser of two kinds of step.

    Weights of linear layers and of 1x1 convolutions with both sides of 16 or more move along the orthogonal factor of
    their momentum, scaled so that its root mean square is that of an Adam step times ``matrix_scale``; everything else
    (biases, norms, filters, slopes) moves by Adam.

    Args:
        groups: parameter groups with ``lr``.
        momentum: of the matrices (Nesterov's).
        matrix_scale: learning rate of the matrices over that of the others.
        betas, eps: of Adam.
        weight_decay: decoupled, of both.

    Sources: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024 (the iteration); Liu et al.,
    "Muon is scalable for LLM training", arXiv 2502.16982, 2025, equation 4 (the scale 0.2 sqrt(max(m, n))).
    """

    def __init__(
        self,
        groups: list[dict],
        *,
        momentum: float = 0.95,
        matrix_scale: float = 1.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        defaults = {"lr": 1e-3, "momentum": momentum, "matrix_scale": matrix_scale}
        super().__init__(groups, {**defaults, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """Move every parameter that has a gradient."""
        assert closure is None, "no use for a closure"
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    move = self._matrix_step if is_matrix(parameter) else self._adam_step
                    move(parameter, self.state[parameter], group)

    def _matrix_step(self, parameter: Tensor, state: dict, group: dict) -> None:
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
        ahead = parameter.grad.lerp(momentum, group["momentum"])
        direction = orthogonal_factor(ahead.flatten(1))
        size = 0.2 * max(direction.shape) ** 0.5
        parameter.add_(direction.view_as(parameter), alpha=-group["lr"] * group["matrix_scale"] * size)

    def _adam_step(self, parameter: Tensor, state: dict, group: dict) -> None:
        if not state:
            state.update(step=0, mean=torch.zeros_like(parameter), mean_square=torch.zeros_like(parameter))
        state["step"] += 1
        first, second = group["betas"]
        mean = state["mean"].lerp_(parameter.grad, 1 - first)
        mean_square = state["mean_square"].mul_(second).addcmul_(parameter.grad, parameter.grad, value=1 - second)
        unbiased = mean_square.div(1 - second ** state["step"]).sqrt_().add_(group["eps"])
        parameter.addcdiv_(mean, unbiased, value=-group["lr"] / (1 - first ** state["step"]))


def is_matrix(parameter: Tensor) -> bool:
    """Whether the parameter is the weight of a linear layer or a 1x1 convolution, and not a thin one."""
    sides = parameter.shape[:2]
    return parameter.dim() >= 2 and parameter.numel() == sides[0] * sides[1] and min(sides) >= SMALLEST_SIDE


def orthogonal_factor(matrix: Tensor, steps: int = 5) -> Tensor:
    """U V^T of matrix = U S V^T, nearly: singular values end between 0.7 and 1.2.

    Args:
        matrix: (m, n).
        steps: of the Newton-Schulz iteration.

    >>> orthogonal_factor(torch.diag(torch.tensor([3.0, 1.0]))).diagonal().sub(1).abs().max() < 0.35
    tensor(True)
    """
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix.float() if wide else matrix.float().t()
    x = x / (x.norm() + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.t()
        x = a * x + torch.addmm(gram, gram, gram, beta=b, alpha=c) @ x
    return (x if wide else x.t()).to(matrix.dtype)
