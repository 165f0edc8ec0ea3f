import numpy as np
import pytest

from zspex_toolkit.infer import mfcc_job
from zspex_toolkit.infer.mfcc_job import compute_mfcc
from zspex_toolkit.signal.front_end_config import DEMIXING
from zspex_toolkit.signal.mfcc import Mfcc


def noise(num_samples, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(num_samples)).astype(np.float32)


def test_utterances_come_out_in_order_however_they_are_grouped(monkeypatch):
    recordings = [(f"a-{n}", noise(n)) for n in (3000, 90, 20000, 400, 7000, 1000)]
    whole = dict(compute_mfcc(recordings, Mfcc(DEMIXING)))
    monkeypatch.setattr(mfcc_job, "GROUP_SAMPLES", 5000)
    pieces = list(compute_mfcc(recordings, Mfcc(DEMIXING)))
    assert [utt for utt, _ in pieces] == [utt for utt, _ in recordings]
    for utt, feats in pieces:
        np.testing.assert_allclose(feats, whole[utt], rtol=0, atol=1e-3)


@pytest.mark.slow
def test_an_hour_long_recording_has_no_seams():
    hour = noise(3600 * 16000)
    ((_, feats),) = compute_mfcc([("a-1", hour)], Mfcc(DEMIXING))
    start = 300_000
    ((_, part),) = compute_mfcc([("a-1", hour[start * 160 : (start + 500) * 160])], Mfcc(DEMIXING))
    assert feats.shape == (360_000, 20)
    np.testing.assert_allclose(feats[start + 2 : start + 498], part[2:498], rtol=0, atol=1e-3)
