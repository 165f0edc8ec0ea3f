"""Write a whole Kaldi data directory at once."""

from __future__ import annotations

import os
from collections.abc import Mapping

from zspex_toolkit.io.table_set import write_tables


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
    """Write every table sorted, ``spk2utt`` with them; the directory appears complete and valid.

    Args:
        out: directory; if it exists, the tables given replace its own and other files in it stay. Tables that are not
            given are removed if the utterances or their audio changed: they describe other audio.
        wavs: utterance (recording, with ``segments``) -> path, ``ark:offset`` or ``command |``.
        utt2spk: utterance -> speaker.
        text: utterance -> transcript.
        spk2gender: speaker -> ``m`` or ``f``.
        segments: utterance -> (recording, start in s, end in s).
        tables: further tables by file name, such as ``{"utt2num_samples": {...}, "spk1.scp": {...}}``.

    Raises:
        DataDirError: if there is no utterance, a key or value is malformed, or the tables do not fit together;
            nothing is written.
    """
    contents: dict[str, Mapping[str, object]] = {**(tables or {}), "wav.scp": wavs, "utt2spk": utt2spk}
    if segments is not None:
        contents["segments"] = {utt: f"{reco} {start:.10g} {end:.10g}" for utt, (reco, start, end) in segments.items()}
    contents |= {name: table for name, table in (("text", text), ("spk2gender", spk2gender)) if table is not None}
    write_tables(out, contents)
