from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.option_file import kaldi_option_text, read_options
from zspex_toolkit.signal.front_end_config import DEMIXING, MfccConfig

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


@dataclass(frozen=True)
class Settings:
    rate: int = 16000
    floor: float = 0.0
    window: str = "povey"
    snip: bool = True

    KALDI_NAMES: ClassVar = {
        "sample-rate": "rate",
        "energy-floor": "floor",
        "window-type": "window",
        "snip-edges": "snip",
    }
    WITHOUT_EFFECT: ClassVar = {"channel": "-1"}


def read(tmp_path, text, name="x.conf"):
    (tmp_path / name).write_text(text)
    return read_options(tmp_path / name, Settings)


def test_a_file_of_kaldis_own_recipe_is_read():
    config = read_options(REFERENCE / "mfcc_demix20.conf", MfccConfig)
    assert config == DEMIXING


def test_comments_blanks_underscores_and_bare_options_are_read_as_kaldi_does(tmp_path):
    text = "# all of it\n\n  --sample_rate=8000  # telephone\n--snip-edges\n--Window-Type=hamming\n--channel=-1\n"
    assert read(tmp_path, text) == Settings(rate=8000, window="hamming", snip=True)


def test_the_last_of_two_values_counts_as_in_kaldi(tmp_path):
    assert read(tmp_path, "--sample-rate=8000\n--sample-rate=44100\n").rate == 44100


@pytest.mark.parametrize(("text", "value"), [("true", True), ("t", True), ("1", True), ("false", False), ("0", False)])
def test_truth_values_are_written_as_in_kaldi(tmp_path, text, value):
    assert read(tmp_path, f"--snip-edges={text}\n").snip is value


def test_a_yaml_file_holds_the_names_of_the_settings(tmp_path):
    config = read(tmp_path, "rate: 8000  # telephone\nsnip: false\nfloor: 1.5\n", "x.yaml")
    assert config == Settings(rate=8000, snip=False, floor=1.5)


def test_an_empty_file_leaves_the_defaults(tmp_path):
    assert read(tmp_path, "") == read(tmp_path, "", "x.yaml") == Settings()


def test_what_is_written_for_kaldi_is_read_back(tmp_path):
    settings = Settings(rate=8000, floor=-0.25, window="hamming", snip=False)
    assert kaldi_option_text(settings).splitlines()[0] == "--sample-rate=8000"
    assert read(tmp_path, kaldi_option_text(settings)) == settings


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.conf", "\n--sampel-rate=1\n", "x.conf:2: unknown option --sampel-rate; did you mean --sample-rate?"),
        ("x.conf", "--rate=1\n", "x.conf:1: unknown option --rate; "),
        ("x.conf", "--zzz=1\n", "x.conf:1: unknown option --zzz; known are --sample-rate, --energy-floor, "),
        ("x.conf", "sample-rate=1\n", "x.conf:1: expected '--option=value', got 'sample-rate=1'"),
        ("x.conf", "--sample-rate=8k\n", "x.conf:1: --sample-rate: expected a whole number, got '8k'"),
        ("x.conf", "--sample-rate=0.5\n", "x.conf:1: --sample-rate: expected a whole number, got '0.5'"),
        ("x.conf", "--sample-rate\n", "x.conf:1: --sample-rate: expected a whole number, got ''"),
        ("x.conf", "--energy-floor=low\n", "x.conf:1: --energy-floor: expected a number, got 'low'"),
        ("x.conf", "--snip-edges=maybe\n", "x.conf:1: --snip-edges: expected true or false, got 'maybe'"),
        ("x.conf", "--channel=1\n", "x.conf:1: --channel=1 is not supported, only -1"),
        ("x.yaml", "rate: 1\nsnipp: true\n", "x.yaml:2: unknown option snipp; did you mean snip?"),
        ("x.yaml", "rate: [1, 2]\n", "x.yaml:1: rate: expected one value"),
        ("x.yaml", "- rate\n", "x.yaml:1: expected 'setting: value' lines"),
        ("x.yaml", "rate: {\n", "x.yaml: not a YAML file"),
    ],
)
def test_a_fault_is_named_with_file_and_line(tmp_path, name, text, message):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text, name)
    assert str(error.value).startswith(f"{tmp_path}/{message}")
    assert "\n" not in str(error.value)


def test_an_impossible_setting_is_named_with_the_file(tmp_path):
    (tmp_path / "mfcc.conf").write_text("--num-ceps=40\n")
    with pytest.raises(ConfigError, match=r"mfcc.conf: num_ceps: expected 1 to num_mel_bins = 23, got 40"):
        read_options(tmp_path / "mfcc.conf", MfccConfig)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none.conf: cannot read the option file: no such file"):
        read_options(tmp_path / "none.conf", Settings)
