"""The classifier has one hidden layer."""

from zspex_toolkit.models.classifiers.mlp import Mlp


def test_the_published_size_is_counted_by_hand():
    assert sum(p.numel() for p in Mlp(512, 630).parameters()) == 512 * 512 + 512 + 2 * 512 + 512 * 630 + 630
