"""The functions report what they lack, and leave the process alive."""

import resource
import subprocess
import sys

import pytest

from zspex_toolkit.native.call import call
from zspex_toolkit.native.library import library

# Weights need little memory, what lies between the products much.
PROGRAM = """
import resource, sys
import torch
from zspex_toolkit.nn.tcn_function import BlockWeights, tcn_block

shares, hidden, num_frames, spare = map(int, sys.argv[1:])
shapes = {"w_in": (hidden, 32), "taps": (3, hidden), "w_out": (32, hidden), "b_out": (32,)}
torch.manual_seed(0)
weights = BlockWeights(*(torch.randn(shapes.get(name, (1,) if "slope" in name else (hidden,))) for name in
                         BlockWeights._fields))
x, bias_in = torch.randn(3, num_frames, 32), torch.zeros(3, hidden)
block = lambda x: tcn_block(x, bias_in[: len(x)], weights, dilation=1, eps=1e-5)
torch.set_grad_enabled(False)
block(x[:, :4])  # all that the first call loads
expected = block(x) if num_frames < 1000 else None
torch.get_num_threads = lambda: shares
(used,) = [int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmSize")]
resource.setrlimit(resource.RLIMIT_AS, (used + spare,) * 2)
try:
    print(torch.equal(block(x), expected))
except MemoryError as error:
    print(error)
"""
pytestmark = [
    pytest.mark.skipif(library() is None, reason="no C++ compiler"),
    pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does"),
]


def with_limits(*arguments, stack=8 << 20):
    """What the program prints; threads begin by asking for their stack."""

    def limit():
        resource.setrlimit(resource.RLIMIT_STACK, (stack, resource.getrlimit(resource.RLIMIT_STACK)[1]))

    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, preexec_fn=limit)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("shares", [1, 3])
def test_without_enough_memory_they_raise(shares):
    message = "zspex_tcn_forward_f32: not enough memory; take smaller batches or shorter signals\n"
    assert with_limits(shares, 4096, 30000, 100 << 20) == message


def test_without_further_threads_the_one_there_is_computes_all():
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard != resource.RLIM_INFINITY:
        pytest.skip("stacks are limited here")
    assert with_limits(3, 32, 500, 100 << 20, stack=1 << 30) == "True\n"


def test_a_status_becomes_an_error():
    def function(status):
        return status

    call(function, 0)
    with pytest.raises(MemoryError, match="function: not enough memory"):
        call(function, 1)
