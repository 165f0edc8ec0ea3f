import torch

from zspex_toolkit.signal.utterance_cmvn import utterance_cmvn


def test_valid_frames_have_mean_0_and_deviation_1():
    feats = 5 + 3 * torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(0))
    found = utterance_cmvn(feats, torch.tensor([50, 20]))
    for row, count in zip(found, (50, 20), strict=True):
        torch.testing.assert_close(row[:count].mean(0), torch.zeros(4), atol=1e-5, rtol=0)
        torch.testing.assert_close(row[:count].std(0, correction=0), torch.ones(4))
    assert not found[1, 20:].any()


def test_what_lies_in_the_padding_has_no_effect():
    feats = torch.randn(1, 10, 3, generator=torch.Generator().manual_seed(0))
    other = feats.clone()
    other[:, 6:] = torch.nan
    assert torch.equal(utterance_cmvn(feats, torch.tensor([6])), utterance_cmvn(other, torch.tensor([6])))


def test_a_constant_feature_is_0():
    assert not utterance_cmvn(torch.full((1, 5, 2), 7.0)).any()
