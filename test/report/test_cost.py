"""What a network costs is counted by hand and the same wherever its shape is."""

import pytest
import torch

from zspex_toolkit.config import dump_config
from zspex_toolkit.report.cost import network_costs
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.tasks.demixing import DemixerSpec
from zspex_toolkit.tasks.embedding import EmbedderSpec

EMBEDDER = EmbedderSpec(
    "residual_tdnn", {"embedding_dim": 6, "channels": 4, "pooled_channels": 5, "num_blocks": 1}, FrontEndConfig()
)


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
