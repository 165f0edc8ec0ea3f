"""Tables of millions of rows in a few arrays, which processes that were forked share for good.

A Python object is written to whenever it is looked at (its reference count), so that a process that goes through a
dict of a million rows ends with a copy of them all.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np

Value = TypeVar("Value")


class Texts(Sequence[str]):
    """An unchanging list of texts, in one block of bytes."""

    _search: tuple[array, array] | None = None  # hashes in rising order, and whose they are

    def __init__(self, texts: Iterable[str]):
        encoded = [text.encode() for text in texts]
        self._ends = array("q", accumulate(map(len, encoded), initial=0))  # faster than numpy, one by one
        self._bytes = b"".join(encoded)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        if index < 0:
            index += len(self)
            if index < 0:
                raise IndexError(f"{len(self)} texts have no index {index - len(self)}")
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode()

    def searchable(self) -> Texts:
        """Itself, prepared for :meth:`find`: once, and before processes share it."""
        if self._search is None:
            hashes = np.fromiter(map(hash, self), np.int64, len(self))
            order = np.argsort(hashes, kind="stable").astype(np.int64)
            self._search = array("q", hashes[order].tobytes()), array("q", order.tobytes())
        return self

    def find(self, text: str) -> int:
        """Where the text is, if once; -1 if nowhere. In time of the logarithm, with one text made."""
        hashes, order = self._search
        wanted = hash(text)
        number = bisect_left(hashes, wanted)
        while number < len(hashes) and hashes[number] == wanted:
            if self[order[number]] == text:
                return order[number]
            number += 1
        return -1

    def __getstate__(self) -> dict:
        return {**vars(self), "_search": self._search is not None}  # hashes differ in a process that is not forked

    def __setstate__(self, state: dict) -> None:
        had_search = state.pop("_search", False)
        vars(self).update(state)
        if had_search:
            self.searchable()


class Selection(Sequence[str]):
    """Some of many texts; each is made when it is asked for.

    Args:
        texts: all of them.
        positions: (n,) which, in order.
    """

    def __init__(self, texts: Texts, positions: np.ndarray):
        self.texts, self.positions = texts, positions

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: int) -> str:
        return self.texts[int(self.positions[index])]


class Choices(Sequence[str]):
    """An unchanging list of texts of which few differ: of each the number of one of ``names``."""

    def __init__(self, texts: Iterable[str], names: Sequence[str]):
        self._names = Texts(names)  # the names themselves may lie anywhere, on a page of memory each
        number = {name: number for number, name in enumerate(names)}
        self.numbers = np.array([number[text] for text in texts], np.int32)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> str:
        return self._names[self.numbers[index]]


class Numbers(Sequence[int]):
    """An unchanging list of whole numbers."""

    def __init__(self, numbers: Iterable[int]):
        self._array = np.fromiter(numbers, np.int64)

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, index: int) -> int:
        return int(self._array[index])


class Rows(Sequence[tuple]):
    """An unchanging list of tuples, one field from each of several columns."""

    def __init__(self, *columns: Sequence):
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, index: int) -> tuple:
        return tuple(column[index] for column in self._columns)


class CompactTable(Mapping[str, Value], Generic[Value]):
    """A mapping that cannot be changed, for keys in the order of their bytes.

    Args:
        keys: sorted, each once.
        values: one for each key.

    >>> table = CompactTable(Texts(["a", "b"]), Numbers([3, 5]))
    >>> table["b"], "c" in table, list(table)
    (5, False, ['a', 'b'])
    """

    def __init__(self, keys: Texts, values: Sequence[Value]):
        assert len(keys) == len(values)
        self.keys_in_order, self._values = keys.searchable(), values

    @staticmethod
    def of_texts(rows: Mapping[str, str]) -> CompactTable[str]:
        """The rows of a table that was read, by their keys whatever their order was."""
        keys = sorted(rows)
        return CompactTable(Texts(keys), Texts(map(rows.__getitem__, keys)))

    def __len__(self) -> int:
        return len(self.keys_in_order)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_in_order)

    def __getitem__(self, key: str) -> Value:
        position = self.keys_in_order.find(key)
        if position < 0:
            raise KeyError(key)
        return self._values[position]

    def items(self) -> ItemsView[str, Value]:
        """Without a search for each key."""
        return _Items(self)

    def values(self) -> ValuesView[Value]:
        """Without a search for each key."""
        return _Values(self)


class _Items(ItemsView):
    def __iter__(self):
        return zip(self._mapping.keys_in_order, self._mapping._values, strict=True)


class _Values(ValuesView):
    def __iter__(self):
        return iter(self._mapping._values)


class Groups(Mapping[str, list[str]]):
    """The members of each group, in the order of ``members``.

    Args:
        members: such as utterances.
        group_of: the group of each, such as its speaker.
        names: all groups.
    """

    def __init__(self, members: Texts, group_of: Choices, names: Sequence[str]):
        self._members = members
        self._order = np.argsort(group_of.numbers, kind="stable").astype(np.int64)
        self._ends = np.searchsorted(group_of.numbers[self._order], np.arange(len(names) + 1))
        self._number = {name: number for number, name in enumerate(Texts(names))}  # of new texts, side by side

    def __len__(self) -> int:
        return len(self._number)

    def __iter__(self) -> Iterator[str]:
        return iter(self._number)

    def __getitem__(self, name: str) -> list[str]:
        return list(self.selection(name))

    def selection(self, name: str) -> Selection:
        """The members of one group, without making all of their names."""
        number = self._number[name]
        return Selection(self._members, self._order[self._ends[number] : self._ends[number + 1]])
