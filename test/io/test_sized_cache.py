"""A cache keeps what was used last, within its bytes."""

import numpy as np

from zspex_toolkit.io.sized_cache import SizedCache


def test_the_least_recently_used_gives_way_and_is_read_again():
    read = []
    cache = SizedCache(lambda name: read.append(name) or np.zeros(int(name), np.uint8), 5)
    for name in ("2", "3", "2", "1"):  # there is no room for 3 any more
        assert len(cache[name]) == int(name)
    assert read == ["2", "3", "1"] and "3" not in cache and "2" in cache and cache.num_bytes == 3
    assert len(cache["9"]) == 9 and cache.num_bytes == 9  # alone, whatever its size
    assert len(cache["2"]) == 2 and read[3:] == ["9", "2"]
