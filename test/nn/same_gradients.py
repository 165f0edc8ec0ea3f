"""Whether compiled passes compute what torch's own layers do."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from zspex_toolkit.native.library import library
from zspex_toolkit.nn.separate_layers import separate_layers

needs_library = pytest.mark.skipif(library() is None, reason="no compiler")


def assert_same(module: nn.Module, compute: Callable[[], Tensor], inputs: tuple[Tensor, ...] = ()) -> None:
    """Output and all gradients, of parameters and ``inputs``, in both precisions.

    Half precision is compared by the whole gradient: single slopes are sums that cancel. Autocast around the backward
    pass must change nothing.
    """
    of = [*inputs, *module.parameters()]
    torch.manual_seed(1)
    with separate_layers():
        expected = compute()
    probe = torch.randn_like(expected)
    gradients = torch.autograd.grad((expected * probe).sum(), of, allow_unused=True)
    for amp, tolerance in ((False, 1e-4), (True, 3e-2)):
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            out = compute()
        assert "Function" in _history(out), "not computed by the compiled passes"
        assert out.shape == expected.shape and out.dtype == torch.float32
        assert distance([out], [expected]) < tolerance
        actual = torch.autograd.grad((out * probe).sum(), of, allow_unused=True, retain_graph=True)
        with torch.autocast("cpu", torch.bfloat16):
            again = torch.autograd.grad((out * probe).sum(), of, allow_unused=True)
        assert all(one is None or torch.equal(one, other) for one, other in zip(actual, again, strict=True))
        assert [one is None for one in actual] == [one is None for one in gradients]
        pairs = [pair for pair in zip(actual, gradients, strict=True) if pair[0] is not None]
        assert distance(*zip(*pairs, strict=True)) < 4 * tolerance
        if not amp:
            for one, other in pairs:
                torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3 * float(other.abs().max()) + 1e-5)


def distance(actual, expected) -> float:
    """Norm of the difference over the norm of what is expected, all tensors together."""
    wrong = sum(float((one - other).detach().square().sum()) for one, other in zip(actual, expected, strict=True))
    return (wrong / sum(float(other.detach().square().sum()) for other in expected)) ** 0.5


def _history(out: Tensor) -> str:
    node, names = out.grad_fn, []
    while node is not None:
        names.append(type(node).__name__)
        node = node.next_functions[0][0] if node.next_functions else None
    return " ".join(name for name in names if name.endswith("FunctionBackward"))
