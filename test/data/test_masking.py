"""Masks take away what they are said to, and nothing else."""

import dataclasses

import numpy as np
import pytest
import torch

from zspex_toolkit.data.masking import MaskConfig, Masking
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.front_end_config import MfccConfig
from zspex_toolkit.signal.mel import lifted_cosine_transform

FULL = MfccConfig(num_mel_bins=12, num_ceps=12, use_energy=False)


def test_nothing_asked_leaves_the_features_themselves():
    feats = torch.randn(20, 12)
    assert Masking(MaskConfig(), FULL)(feats, rng_for(0, "a")) is feats


def test_a_masked_stretch_is_the_mean_and_the_rest_stays():
    masking = Masking(MaskConfig(max_frames=5), FULL)
    widths = set()
    for draw in range(40):
        feats = torch.randn(20, 12)
        masked = masking(feats, rng_for(0, draw))
        changed = (masked != feats).any(1)
        widths.add(int(changed.sum()))
        torch.testing.assert_close(masked[changed], feats.mean(0).expand(int(changed.sum()), -1))
        places = changed.nonzero()[:, 0]
        assert len(places) == 0 or int(places[-1] - places[0]) == len(places) - 1
    assert widths == set(range(6))


def test_a_masked_band_is_flat_in_the_mel_spectrum_and_the_other_filters_stay():
    transform = lifted_cosine_transform(12, 12, lifter=22.0)
    log_mel = torch.randn(30, 12, dtype=torch.float64)
    feats = (log_mel @ transform).float()
    masked = Masking(MaskConfig(max_bins=4), FULL)(feats, rng_for(0, 3))
    after = masked.double() @ torch.linalg.inv(transform)
    flat = (after - after.mean(0)).abs().amax(0) < 1e-3
    assert 1 <= int(flat.sum()) <= 4
    np.testing.assert_allclose(after[:, ~flat], log_mel[:, ~flat], atol=1e-4)
    np.testing.assert_allclose(after[:, flat], log_mel[:, flat].mean(0).expand(30, -1), atol=1e-4)


def test_features_shorter_than_the_mask_become_their_mean():
    feats = torch.randn(2, 12)
    masking = Masking(MaskConfig(max_frames=50), FULL)
    torch.testing.assert_close(masking(feats, rng_for(0, 1)), feats.mean(0).expand(2, -1))


@pytest.mark.parametrize(
    ("mask", "mfcc", "message"),
    [
        (MaskConfig(max_bins=13), FULL, r"max_bins from 0 to 12 \(the mel filters\), got 0 and 13"),
        (MaskConfig(max_frames=-1), FULL, "expected max_frames of 0 or more"),
        (
            MaskConfig(max_bins=2),
            dataclasses.replace(FULL, use_energy=True),
            "needs features made with --use-energy=false",
        ),
    ],
)
def test_masks_that_make_no_sense_are_refused(mask, mfcc, message):
    with pytest.raises(ConfigError, match=message):
        Masking(mask, mfcc)
