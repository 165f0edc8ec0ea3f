"""An id as the name of a file: one rule for all that is written under the name of an utterance, trial or mixture."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"[A-Za-z0-9_+=,@-][A-Za-z0-9_.+=,@-]*")
_TO_ESCAPE = re.compile(rb"[^A-Za-z0-9_.+=,@-]")
_LONGEST = 180  # bytes; file systems take 255, of which the suffix and a temporary name need some
_KEPT = 140


def file_name_of(name: str) -> str:
    """The name of an id's file, without suffix; that of letters, digits and ``-_.+=,@`` is the id itself.

    Every other byte of its UTF-8 is written ``%XX``, so that no id leaves its folder, hides its file or is taken for a
    pattern, a pipe or another Unicode spelling of one; a name that would be too long ends in ``~`` and a hash. Ids that
    differ have names that differ.

    >>> file_name_of("ann-1.a"), file_name_of("../x"), file_name_of("ü")
    ('ann-1.a', '%2E.%2Fx', '%C3%BC')
    """
    if len(name) <= _LONGEST and _PLAIN.fullmatch(name):
        return name
    escaped = _TO_ESCAPE.sub(lambda byte: b"%%%02X" % byte[0][0], name.encode()).decode()
    if escaped.startswith("."):
        escaped = f"%2E{escaped[1:]}"
    if len(escaped) <= _LONGEST:
        return escaped
    return f"{escaped[:_KEPT]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
