"""Networks are read with their histories and settings."""

import numpy as np
import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.networks import read_networks
from zspex_toolkit.report.scores import read_scores


def test_a_network_says_what_it_was_trained_for(exp):
    network = read_networks(exp, read_scores(exp))[0]
    assert (network.given, network.condition, network.function) == ("e2", "snr-5", "subtract")
    assert network.column == -5.0
    assert {score.set for score in network.scores} == {"train", "test"}


def test_an_error_that_was_not_finite_leaves_a_gap_in_the_curve(exp):
    lines = [
        '{"epoch": 1, "train": {"mae": 0.5}, "valid": {"mae": null}}',
        '{"epoch": 2, "train": {}, "valid": null}',
    ]
    (exp / "demix_e2_snr-5_subtract" / "history.jsonl").write_text("\n".join(lines) + "\n")
    network = read_networks(exp, [])[0]
    assert network.curve("train")[0] == 0.5
    assert np.isnan([*network.curve("valid"), network.curve("train")[1]]).all()
    assert network.has_curve()


def test_a_network_without_history_has_no_curve(exp):
    (exp / "demix_e2_snr-5_subtract" / "history.jsonl").unlink()
    assert not read_networks(exp, [])[0].has_curve()


def test_a_network_for_all_snrs_keeps_its_functions_name(tmp_path):
    (tmp_path / "demix_e2_snr_all_separate_concat").mkdir()
    network = read_networks(tmp_path, [])[0]
    assert (network.condition, network.function, network.column) == ("snr_all", "separate_concat", "all SNRs")


def test_a_network_for_both_directions_says_so(tmp_path):
    (tmp_path / "demix_both_snr0_modulate").mkdir()
    assert read_networks(tmp_path, [])[0].given == "both"


def test_a_microphone_is_a_column_of_its_own(tmp_path):
    (tmp_path / "demix_e2_array2_concat1").mkdir()
    assert read_networks(tmp_path, [])[0].column == "array2"


def test_a_folder_that_does_not_say_what_it_holds_is_refused(tmp_path):
    (tmp_path / "demix_old").mkdir()
    with pytest.raises(DataDirError, match=r"demix_old: expected the name demix_<e1\|e2\|both>_<condition>_<function>"):
        read_networks(tmp_path, [])
