"""Copy a data directory under new names of utterances and speakers."""

from __future__ import annotations

import json
import os

from zspex_toolkit.io.table_set import Tables, read_tables, write_tables


def copy_data_dir(
    data: str | os.PathLike, out: str | os.PathLike, *, utt_prefix: str = "", spk_prefix: str = ""
) -> int:
    """Copy ``data`` to ``out`` with prefixes, as for a perturbed copy that is to be combined with its original.

    Args:
        data: data directory.
        out: data directory to write.
        utt_prefix: put before every utterance id. Begin it with ``spk_prefix``, or the order by speaker is lost.
        spk_prefix: put before every speaker id, of interferers too.

    Returns:
        The number of utterances.

    Raises:
        DataDirError: if ``data`` is malformed, or the new names are not sorted by speaker; nothing is written.

    Recordings keep their names where there is ``segments``; else they are utterances and are renamed.
    """
    tables, kinds = read_tables(data)
    prefixes = {"utterance": utt_prefix, "speaker": spk_prefix, "recording": ""}
    renamed: Tables = {
        name: {prefixes[kinds[name]] + key: value for key, value in table.items()} for name, table in tables.items()
    }
    for name, table in renamed.items():
        if name.startswith("utt2spk"):
            renamed[name] = {utt: spk_prefix + spk for utt, spk in table.items()}
        elif name == "plan.jsonl":
            renamed[name] = {utt: json.dumps({**json.loads(row), "id": utt}) for utt, row in table.items()}
    write_tables(out, renamed, like=data)
    return len(renamed["utt2spk"])
