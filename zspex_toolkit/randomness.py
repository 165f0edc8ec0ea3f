"""Random numbers that depend on names alone, never on order, number of jobs or machine."""

from __future__ import annotations

import hashlib

import numpy as np


def rng_for(seed: int, *keys: str | int) -> np.random.Generator:
    """Random generator of one item: the same wherever and whenever it is asked for.

    Args:
        seed: the experiment's seed.
        keys: what the numbers are for, such as an utterance id or ("order", epoch).

    Returns:
        A generator seeded by a SHA-256 of ``seed`` and ``keys``; keys of different types or splits never collide.

    >>> bool(rng_for(1, "a-1").random() == rng_for(1, "a-1").random())
    True
    >>> bool(rng_for(1, "a", "b").random() == rng_for(1, "ab").random())
    False
    """
    name = "\0".join([str(seed), *(f"{type(key).__name__}:{key}" for key in keys)])
    digest = hashlib.sha256(name.encode("utf-8")).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
