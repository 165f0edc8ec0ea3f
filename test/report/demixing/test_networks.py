"""Networks are read with their histories and settings; what they cost is counted by hand."""

import pytest
import torch

from zspex_toolkit.config import dump_config
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.demixing.networks import network_costs, read_networks
from zspex_toolkit.report.demixing.scores import read_scores
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.tasks.demixing import DemixerSpec
from zspex_toolkit.tasks.embedding import EmbedderSpec

EMBEDDER = EmbedderSpec(
    "residual_tdnn", {"embedding_dim": 6, "channels": 4, "pooled_channels": 5, "num_blocks": 1}, FrontEndConfig()
)


def test_a_network_says_what_it_was_trained_for(exp):
    network = read_networks(exp, read_scores(exp))[0]
    assert (network.given, network.condition, network.function) == ("e2", "snr-5", "subtract")
    assert network.column == -5.0
    assert {score.set for score in network.scores} == {"train", "test"}


@pytest.mark.parametrize(
    ("folder", "given", "function", "column"),
    [
        ("demix_e2_snr_all_separate_concat", "e2", "separate_concat", "all SNRs"),
        ("demix_both_snr0_modulate", "both", "modulate", 0.0),
        ("demix_e2_array2_concat1", "e2", "concat1", "array2"),
    ],
)
def test_all_snrs_both_directions_and_microphones_are_told_by_the_folder(tmp_path, folder, given, function, column):
    (tmp_path / folder).mkdir()
    network = read_networks(tmp_path, [])[0]
    assert (network.given, network.function, network.column) == (given, function, column)


def test_a_folder_that_does_not_say_what_it_holds_is_refused(tmp_path):
    (tmp_path / "demix_old").mkdir()
    with pytest.raises(DataDirError, match=r"demix_old: expected the name demix_<e1\|e2\|both>_<condition>_<function>"):
        read_networks(tmp_path, [])


@pytest.fixture
def folder(tmp_path):
    def folder(name, demixer, given="e2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.yaml").write_text(dump_config(DemixerSpec(EMBEDDER, demixer, {}, given)))
        return tmp_path / name

    return folder


def test_an_affine_layer_twice_as_wide_costs_twice_as_much(folder):
    costs = network_costs([folder("a", "subtract"), folder("b", "concat1")])
    # The functions differ by d x d products, once in the 10 s.
    assert costs["b"].macs_per_second - costs["a"].macs_per_second == pytest.approx(6 * 6 / 10)
    assert costs["a"].fs == 16000 and 0 < costs["a"].real_time_factor < 1


def test_networks_of_one_shape_are_measured_once(folder):
    costs = network_costs([folder("a", "subtract", "e1"), folder("b", "subtract", "e2")])
    assert costs["a"] is costs["b"]


def test_a_folder_that_does_not_say_its_network_has_no_cost_and_threads_are_as_before(folder, tmp_path):
    torch.set_num_threads(2)
    (tmp_path / "empty").mkdir()
    assert list(network_costs([tmp_path / "empty", folder("a", "subtract")])) == ["a"]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
