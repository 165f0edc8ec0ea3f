"""What tells a network whom to extract: made once, of recordings or elsewhere, then used for any number of mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional

from zspex_toolkit.errors import UserError
from zspex_toolkit.io.atomic import atomic_path

FORMAT = "zspex clue"
VERSION = "1"


@dataclass(frozen=True)
class Clue:
    """Clues of B people: an embedding each, or frames each, or both.

    Attributes:
        embedding: (B, D).
        frames: (B, C, U); those behind a clue's own number are padding.
        num_frames: (B,) int64, true frames of each; all U if only ``frames`` are given.

    Raises:
        ValueError: for neither of the two, or shapes that do not fit each other.
    """

    embedding: Tensor | None = None
    frames: Tensor | None = None
    num_frames: Tensor | None = None

    def __post_init__(self) -> None:
        if self.frames is not None and self.num_frames is None:
            rows, _, length = self.frames.shape
            object.__setattr__(self, "num_frames", torch.full((rows,), length, device=self.frames.device))
        shapes = {name: tuple(tensor.shape) for name, tensor in self._tensors().items()}
        dimensions = {"embedding": 2, "frames": 3, "num_frames": 1}
        fits = all(len(shape) == dimensions[name] for name, shape in shapes.items())
        if not fits or len({shape[0] for shape in shapes.values()}) != 1 or shapes.keys() == {"num_frames"}:
            raise ValueError(f"clue: expected embedding (B, D), or frames (B, C, U) and num_frames (B,), got {shapes}")
        if self.frames is not None and self.num_frames.device.type == "cpu" and len(self):
            fewest, most = int(self.num_frames.min()), int(self.num_frames.max())
            if not 0 < fewest <= most <= self.frames.shape[2]:
                found = f"{fewest} to {most} of {self.frames.shape[2]}"
                raise ValueError(f"clue: expected num_frames from 1 to the frames there are, got {found}")

    def __len__(self) -> int:
        """B."""
        return len(next(iter(self._tensors().values())))

    def __getitem__(self, rows: int | slice | Sequence[int] | Tensor) -> Clue:
        """Some of the clues, in the order of ``rows``; of one number, that one alone."""
        if isinstance(rows, int):
            rows = range(len(self))[rows]
            rows = slice(rows, rows + 1)
        elif not isinstance(rows, (slice, Tensor)):
            rows = list(rows)
        return Clue(**{name: tensor[rows] for name, tensor in self._tensors().items()})

    def to(self, device: torch.device | str) -> Clue:
        """The same on another device."""
        return Clue(**{name: tensor.to(device) for name, tensor in self._tensors().items()})

    @staticmethod
    def cat(clues: Sequence[Clue]) -> Clue:
        """Clues of one network one after another; shorter frames are padded with zeros.

        Raises:
            ValueError: for none, or clues of different kinds.
        """
        names = {tuple(clue._tensors()) for clue in clues}
        if len(names) != 1:
            raise ValueError(f"expected clues of one kind, got {sorted(names)}")
        columns = {name: [getattr(clue, name) for clue in clues] for name in names.pop()}
        if "frames" in columns:
            longest = max(frames.shape[2] for frames in columns["frames"])
            columns["frames"] = [functional.pad(one, (0, longest - one.shape[2])) for one in columns["frames"]]
        return Clue(**{name: torch.cat(column) for name, column in columns.items()})

    def save(self, path: str | PathLike, *, made_by: str = "") -> None:
        """Write the clues to a safetensors file, atomically.

        Args:
            path: file to write.
            made_by: fingerprint of the network; empty where any network with clues of that size may use them.

        Raises:
            UserError: if it cannot be written.
        """
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self._tensors().items()}
        content = safetensors.torch.save(tensors, {"format": FORMAT, "version": VERSION, "made_by": made_by})
        try:
            with atomic_path(path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise UserError(f"{path}: cannot save the clue ({error.strerror or error})") from error

    @staticmethod
    def load(path: str | PathLike) -> tuple[Clue, str]:
        """The clues of a file that :meth:`save` wrote, on the CPU, and what made them.

        Raises:
            UserError: if there is none, or it is broken, no clue, or of another version.
        """
        if not Path(path).is_file():
            raise UserError(f"{path}: no such file; expected a clue that 'zspex enroll' wrote")
        try:
            with safetensors.safe_open(path, "pt") as stream:
                said = stream.metadata() or {}
                tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118, it is no mapping
        except (safetensors.SafetensorError, OSError) as error:
            raise UserError(f"{path}: not a file of clues ({' '.join(str(error).split())})") from error
        if said.get("format") != FORMAT:
            raise UserError(f"{path}: holds no clue; expected a file that 'zspex enroll' wrote")
        if said.get("version") != VERSION:
            raise UserError(f"{path}: expected version {VERSION}, found {said.get('version')}; enroll again")
        try:
            return Clue(**tensors), said.get("made_by", "")
        except (TypeError, ValueError) as error:
            raise UserError(f"{path}: broken: {error}") from error

    def _tensors(self) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in vars(self).items() if tensor is not None}


def clues_per_mixture(clue: Clue, mixture: Tensor) -> int:
    """Q: of each of M mixtures so many clues are asked, and row r of the Q M clues asks of mixture r % M.

    Raises:
        ValueError: if the clues cannot be shared out like that.
    """
    count, rest = divmod(len(clue), len(mixture))
    if rest or not count:
        raise ValueError(f"expected as many clues for each of {len(mixture)} mixtures, got {len(clue)} in all")
    return count


def mean_embedding(clues: Sequence[Clue], weights: Sequence[float] | None = None) -> Clue:
    """The mean of embeddings of the same people, row by row; a way to join clues.

    Args:
        clues: of B people each.
        weights: of the clues, above 0; None for equal ones.
    """
    weights = [1.0] * len(clues) if weights is None else weights
    total = sum(weight * clue.embedding.double() for clue, weight in zip(clues, weights, strict=True))
    return Clue((total / sum(weights)).to(clues[0].embedding.dtype))


def joined_frames(clues: Sequence[Clue]) -> Clue:
    """The true frames of the same people, one recording behind the other; a way for networks to join clues."""
    rows = []
    for row in range(len(clues[0])):
        parts = [clue.frames[row : row + 1, :, : int(clue.num_frames[row])] for clue in clues]
        rows.append(Clue(frames=torch.cat(parts, 2)))
    return Clue.cat(rows)
