"""Muon: momentum whose matrices are made orthogonal before the step; Adam for all that is no matrix."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from zspex_toolkit.train.device import resolve_amp
from zspex_toolkit.train.processes import Processes

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
        self._dtype: torch.dtype | None = None

    def agree(self, processes: Processes) -> None:
        """Multiply in half precision if all processes of the training can: else their networks would drift apart."""
        device = self.param_groups[0]["params"][0].device
        can = processes.gather(factor_dtype(device) == torch.bfloat16)
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
        moves = orthogonal_factor(wide, dtype=self._dtype) * (-group["lr"] * group["matrix_scale"] * size)
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


def orthogonal_factor(matrix: Tensor, steps: int = 5, dtype: torch.dtype | None = None) -> Tensor:
    """U V^T of matrix = U S V^T, nearly: singular values end between 0.7 and 1.2.

    In half precision where the processor multiplies it: the iteration is nowhere near as exact as its arithmetic.

    Args:
        matrix: (..., m, n), one or many.
        steps: of the Newton-Schulz iteration.
        dtype: of its factors; None: the quickest here.

    >>> orthogonal_factor(torch.diag(torch.tensor([3.0, 1.0]))).diagonal().sub(1).abs().max() < 0.35
    tensor(True)
    """
    wide = matrix.shape[-2] <= matrix.shape[-1]
    x = (matrix if wide else matrix.mT).flatten(0, -3) if matrix.dim() > 2 else (matrix if wide else matrix.mT)[None]
    x = x.float()
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(dtype or factor_dtype(x.device))
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = torch.bmm(x, x.mT)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x if wide else x.mT).to(matrix.dtype).reshape(matrix.shape)


def factor_dtype(device: torch.device) -> torch.dtype:
    """What the iteration multiplies at best on this machine; emulated half precision would be slower than single."""
    return torch.bfloat16 if resolve_amp("auto", device) == "bf16" else torch.float32
