import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.conformer import ConformerBlock, ConvSubsampling, RotaryAttention, rotary_table, rotate


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_products_of_rotated_vectors_depend_on_their_distance():
    table = rotary_table(20, 8, torch.device("cpu"))
    query, key = (rotate(noise(8, seed=seed).expand(20, 8), table) for seed in (1, 2))
    products = query @ key.T
    torch.testing.assert_close(products[3, 7], products[10, 14])
    assert abs(products[3, 7] - products[3, 9]) > 1e-3
    torch.testing.assert_close(query.norm(dim=1), noise(8, seed=1).norm().expand(20))


@pytest.mark.parametrize(("factor", "expected"), [(2, [21, 9]), (4, [11, 5]), (8, [6, 3])])
def test_one_frame_is_left_of_as_many_as_the_factor(factor, expected):
    layer = ConvSubsampling(20, 6, channels=3, factor=factor)
    frames, num_frames = layer(noise(2, 41, 20), torch.tensor([41, 17]))
    assert frames.shape == (2, expected[0], 6) and num_frames.tolist() == expected


def test_a_block_knows_neither_padding_nor_other_rows():
    torch.manual_seed(0)
    block = ConformerBlock(8, num_heads=2, kernel_size=5, expansion=2, dropout=0.0)
    frames, mask = noise(2, 12, 8), torch.arange(12) < torch.tensor([12, 7])[:, None]
    both = block(frames, mask, rotary_table(12, 4, frames.device))
    alone = block(frames[1:, :7], mask[1:, :7], rotary_table(7, 4, frames.device))
    torch.testing.assert_close(both[1, :7], alone[0])


def test_senseless_sizes_are_refused():
    with pytest.raises(ConfigError, match="dim: expected a multiple of 8"):
        RotaryAttention(12, 4, 0.0)
    with pytest.raises(ConfigError, match="subsampling: expected 2, 4 or 8, got 3"):
        ConvSubsampling(20, 6, channels=3, factor=3)
    with pytest.raises(ConfigError, match="kernel_size: expected an odd number, got 4"):
        ConformerBlock(8, num_heads=2, kernel_size=4, expansion=2, dropout=0.0)
