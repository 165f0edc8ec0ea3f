"""Out of memory, in words a user can act on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.batches import Batch


@contextlib.contextmanager
def explained_memory(batch: Batch, device: torch.device) -> Iterator[None]:
    """Within, a GPU without enough memory is one line with the size of the batch.

    Raises:
        UserError: in place of torch's ``OutOfMemoryError``.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in batch.items() if isinstance(value, Tensor))
        raise UserError(
            f"{device} has not enough memory for a batch of {len(batch['ids'])} items ({shapes}); "
            f"halve batch_size and double accumulate, the steps stay as large: {str(error).splitlines()[0]}"
        ) from error
