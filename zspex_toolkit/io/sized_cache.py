"""Arrays in bounded memory: read once, and kept until others take their place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class SizedCache:
    """Arrays or tensors by name; the least recently used go first, the latest one stays whatever its size.

    Args:
        read: gives what is not kept.
        max_bytes: of all that is kept.
    """

    def __init__(self, read: Callable[[str], Any], max_bytes: int):
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self._read = read
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def __getitem__(self, name: str) -> Any:
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        found = self._kept[name] = self._read(name)
        self.num_bytes += found.nbytes
        while self.num_bytes > self.max_bytes and len(self._kept) > 1:
            self.num_bytes -= self._kept.popitem(last=False)[1].nbytes
        return found
