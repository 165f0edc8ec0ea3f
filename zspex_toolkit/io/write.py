"""Write a whole Kaldi data directory at once."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.table import invert, write_table


def write_data_dir(
    out: str | os.PathLike,
    *,
    wavs: Mapping[str, str],
    utt2spk: Mapping[str, str],
    text: Mapping[str, str] | None = None,
    spk2gender: Mapping[str, str] | None = None,
    segments: Mapping[str, tuple[str, float, float]] | None = None,
    tables: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Write every table sorted, ``spk2utt`` with them; the directory appears complete.

    Args:
        out: directory; if it exists, the tables given replace its own and other files in it stay.
        wavs: utterance (recording, with ``segments``) -> path, ``ark:offset`` or ``command |``.
        utt2spk: utterance -> speaker.
        text: utterance -> transcript.
        spk2gender: speaker -> ``m`` or ``f``.
        segments: utterance -> (recording, start in s, end in s).
        tables: further tables by file name, such as ``{"utt2num_samples": {...}, "spk1.scp": {...}}``.

    Raises:
        DataDirError: if there is no utterance or a key or value is malformed; nothing is written.
    """
    out = Path(out)
    if not utt2spk:
        raise DataDirError(f"{out}: no utterances to write")
    contents: dict[str, Mapping[str, object]] = dict(tables or {})
    contents |= {"wav.scp": wavs, "utt2spk": utt2spk, "spk2utt": invert(utt2spk)}
    if segments is not None:
        contents["segments"] = {utt: f"{reco} {start:.10g} {end:.10g}" for utt, (reco, start, end) in segments.items()}
    contents |= {name: table for name, table in (("text", text), ("spk2gender", spk2gender)) if table is not None}
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.{secrets.token_hex(6)}")
    try:
        for name, table in contents.items():
            write_table(temporary / name, table)
        _move_into_place(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move_into_place(temporary: Path, out: Path) -> None:
    if not out.exists():
        os.replace(temporary, out)
        return
    # utt2spk last: it is the table whose presence says that the directory is there.
    for path in sorted(temporary.iterdir(), key=lambda path: path.name == "utt2spk"):
        os.replace(path, out / path.name)
