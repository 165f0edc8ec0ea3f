import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.signal.spec_augment import SpecAugmentConfig, spec_augment


def masked(config, num_frames=(100, 60), seed=0):
    torch.manual_seed(seed)
    return spec_augment(torch.ones(len(num_frames), 100, 80), torch.tensor(num_frames), config) == 0


def test_a_time_mask_hides_whole_frames_of_a_share_at_most():
    widths = set()
    for seed in range(200):
        hidden = masked(SpecAugmentConfig(1, max_frames=40, max_time_share=0.1, num_bands=0), seed=seed)
        assert torch.equal(hidden.all(2), hidden.any(2))
        counts = hidden.all(2).sum(1).tolist()
        assert counts[0] <= 10 and counts[1] <= 6
        assert not hidden[1, 60:].any()
        widths.add(counts[0])
    assert widths == set(range(11))


def test_a_band_is_hidden_in_all_frames_of_a_row():
    widths = set()
    for seed in range(200):
        hidden = masked(SpecAugmentConfig(0, num_bands=1, max_bins=7), num_frames=(100, 100), seed=seed)
        assert torch.equal(hidden.all(1), hidden.any(1))
        widths.add(int(hidden[0].any(0).sum()))
    assert widths == set(range(8))


def test_rows_are_masked_apart():
    hidden = masked(SpecAugmentConfig(2, max_time_share=0.3, num_bands=2), num_frames=(100, 100))
    assert not torch.equal(hidden[0], hidden[1])


def test_no_masks_change_nothing():
    assert not masked(SpecAugmentConfig(0, num_bands=0)).any()


def test_senseless_widths_are_refused():
    with pytest.raises(ConfigError, match="max_time_share: expected a number from 0 to 1, got 2"):
        SpecAugmentConfig(max_time_share=2)
    with pytest.raises(ConfigError, match="max_bins"):
        SpecAugmentConfig(max_bins=-1)
