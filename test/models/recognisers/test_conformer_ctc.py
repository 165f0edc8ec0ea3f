import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.recognisers.conformer_ctc import SMALL, ConformerCtc


def noise(num_samples, seed=0):
    return 0.1 * torch.randn(1, num_samples, generator=torch.Generator().manual_seed(seed))


def test_the_usual_size_is_ten_million_parameters():
    network = ConformerCtc(500)
    assert 9e6 < sum(parameter.numel() for parameter in network.parameters()) < 11e6


def test_blocks_on_the_way_are_scored_in_training_alone():
    network = ConformerCtc(11, intermediate_blocks=(1,), **SMALL)
    found = network.train()(noise(4000), torch.tensor([4000]))
    assert [scores.shape for scores in found.intermediate] == [found.log_probs.shape]
    assert network.eval()(noise(4000), torch.tensor([4000])).intermediate == []


def test_masks_are_for_training_alone():
    torch.manual_seed(0)
    masks = {"num_time_masks": 2, "max_time_share": 0.5, "num_bands": 2, "max_bins": 8}
    network = ConformerCtc(11, dropout=0.0, spec_augment=masks, **SMALL)
    given = noise(8000), torch.tensor([8000])
    plain = network.eval()(*given).log_probs
    assert torch.equal(network(*given).log_probs, plain)
    assert not torch.allclose(network.train()(*given).log_probs, plain)


def test_the_level_of_an_utterance_has_no_effect_with_its_own_statistics():
    network = ConformerCtc(11, **SMALL).eval()
    given = torch.tensor([8000])
    torch.testing.assert_close(
        network(noise(8000), given).log_probs, network(3 * noise(8000), given).log_probs, rtol=1e-3, atol=1e-3
    )


def test_global_statistics_are_those_that_were_set():
    network = ConformerCtc(11, cmvn="global", **SMALL).eval()
    given = noise(8000), torch.tensor([8000])
    plain, _ = network.features(*given)
    network.set_statistics(plain.mean((0, 1)), plain.std((0, 1), correction=0))
    normal, _ = network.features(*given)
    torch.testing.assert_close(normal.mean((0, 1)), torch.zeros(20), rtol=0, atol=1e-3)
    assert "mean" in network.state_dict()


def test_senseless_options_are_refused():
    with pytest.raises(ConfigError, match="cmvn: expected utterance or global, got 'speaker'"):
        ConformerCtc(11, cmvn="speaker", **SMALL)
    with pytest.raises(ConfigError, match="intermediate_blocks: expected numbers from 1 to 1"):
        ConformerCtc(11, intermediate_blocks=(2,), **SMALL)
