"""The processor and the GPU, and what they mean for speed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import torch

from zspex_toolkit.bench.cells import instructions, processor_name
from zspex_toolkit.doctor.finding import OK, WARNING, Asked, Finding
from zspex_toolkit.train.device import resolve_amp

__all__ = ["check_processor"]


def check_processor(asked: Asked) -> Iterator[Finding]:
    """Instruction sets, the precision that ``amp: auto`` takes, and whether torch sees a GPU that is there."""
    yield Finding(OK, f"{processor_name('cpu')}; {instructions()}")
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        yield Finding(WARNING, "torch uses no vector instructions here", "take a processor with AVX2")
    yield Finding(OK, f"amp auto on the CPU: {resolve_amp('auto', torch.device('cpu'))}")
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            device = torch.device("cuda", number)
            memory = torch.cuda.get_device_properties(device).total_memory / 2**30
            yield Finding(
                OK, f"{torch.cuda.get_device_name(device)}, {memory:.0f} GiB; amp auto: {resolve_amp('auto', device)}"
            )
    elif shutil.which("nvidia-smi"):
        yield Finding(
            WARNING,
            f"this machine has NVIDIA's driver, but torch {torch.__version__} sees no GPU",
            "install a build of torch for CUDA, or look at nvidia-smi",
        )
    else:
        yield Finding(OK, "no GPU: train band-split or reduced networks (conf/small), not those of published size")
