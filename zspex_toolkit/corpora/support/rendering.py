"""Audio that a corpus's own lists call for: made in several processes, each file checked, so a killed run goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from zspex_toolkit.errors import AudioError, ConfigError, JobError
from zspex_toolkit.io.atomic import atomic_path, write_json
from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.librimix import write_wav

RECORD = "rendered.json"


@dataclass(frozen=True)
class Rendering:
    """The files of one mixture: ``files`` are by the names of the signals that the recipe yields."""

    id: str
    recipe: str  # all that decides the samples
    files: dict[str, Path]
    num_samples: int
    fs: int  # Hz

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.recipe.encode()).hexdigest()[:16]

    def is_complete(self) -> bool:
        """Whether all files are there, as long as they should be and at the right rate."""
        try:
            found = [audio_info(path) for path in self.files.values()]
        except AudioError:
            return False
        return all((info.num_samples, info.fs) == (self.num_samples, self.fs) for info in found)


def render_missing(
    renderings: Sequence[Rendering],
    signals_of: Callable[[str], dict[str, np.ndarray]],
    folder: Path,
    *,
    nj: int,
    label: str,
) -> None:
    """Make the files that are not there yet, not whole, or were made from another recipe; print the counts.

    Files that another program put there under the same names are kept if their lengths and rates are right.

    Args:
        renderings: what to make.
        signals_of: recipe -> signals by name, (T,) each, int16 or float; a function of a module, for the processes.
        folder: gets ``rendered.json``, which says what the files were made from.
        nj: number of processes.
        label: for the messages.

    Raises:
        ConfigError: if ``nj`` is not positive.
        AudioError: if audio cannot be read, or comes out otherwise long than its headers say.
        JobError: if a process was killed.
    """
    if nj < 1:
        raise ConfigError(f"nj: expected 1 process or more, got {nj}")
    _remove_outdated(renderings, folder / RECORD)
    missing = [rendering for rendering in renderings if not rendering.is_complete()]
    nj = min(nj, len(missing))
    with ProcessPoolExecutor(nj) if nj > 1 else nullcontext() as pool:
        work = partial(_render, signals_of)
        done = map(work, missing) if pool is None else pool.map(work, missing, chunksize=8)
        try:
            for _ in tqdm(done, total=len(missing), desc=label, disable=None, mininterval=1):
                pass
        except BrokenProcessPool as error:
            raise JobError(
                f"{label}: a process was killed; out of memory? Finished files are kept: run the command again"
            ) from error
    kept = len(renderings) - len(missing)
    print(f"{label}: {len(renderings)} in, {len(missing)} rendered, {kept} already there", flush=True)


def _remove_outdated(renderings: Sequence[Rendering], record: Path) -> None:
    known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    for rendering in renderings:
        if known.get(rendering.id, rendering.digest) != rendering.digest:
            for path in rendering.files.values():
                path.unlink(missing_ok=True)
    write_json(record, {**known, **{rendering.id: rendering.digest for rendering in renderings}})


def _render(signals_of: Callable[[str], dict[str, np.ndarray]], rendering: Rendering) -> None:
    signals = signals_of(rendering.recipe)
    for name, path in rendering.files.items():
        if len(signals[name]) != rendering.num_samples:
            expected = f"{rendering.num_samples} samples, as the headers of its sources say"
            raise AudioError(f"mixture {rendering.id}: expected {expected}, got {len(signals[name])}")
        with atomic_path(path) as temporary:
            write_wav(temporary, signals[name], rendering.fs)
