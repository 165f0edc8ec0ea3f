"""A plug-in is a file that is found by its name."""

import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.registry import available, load


def test_every_file_of_a_folder_is_a_plug_in():
    assert "subtract" in available("models.demixers")
    assert load("models.demixers", "subtract").__name__ == "Subtract"


def test_an_unknown_name_is_met_with_the_nearest_one():
    with pytest.raises(ConfigError, match=r"unknown name 'substract' in models.demixers; did you mean 'subtract'\?"):
        load("models.demixers", "substract")


def test_a_folder_of_plug_ins_is_none_itself():
    assert "si_sdr" in available("metrics.speech")
    assert "speech" not in available("metrics")
