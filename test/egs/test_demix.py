"""egs/<corpus>/demix1: settings that the real parsers and networks take."""

from pathlib import Path

import pytest

from zspex_toolkit.config import check_options, parse_args
from zspex_toolkit.data.front_end import read_mfcc_config
from zspex_toolkit.prepare.compute_vad import read_vad_config
from zspex_toolkit.registry import available, load
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.tasks import classification, demixing, embedding

EGS = Path(__file__).parents[2] / "egs"
RECIPES = sorted(path.parent for path in EGS.glob("*/demix1/run.sh"))
CONFIGS = sorted(EGS.glob("*/demix1/conf/*.yaml"))


def name(path):
    return str(path.relative_to(EGS))


NEEDED = {
    "embedder": (embedding.Config, ["--data", "d", "--exp_dir", "e"]),
    "classifier": (classification.Config, ["--data", "d", "--exp_dir", "e"]),
    "demixer": (demixing.Config, ["--data", "d", "--exp_dir", "e", "--embedder", "a", "--clean_speakers", "s"]),
}


def settings_of(path):
    (kind,) = [kind for kind in NEEDED if path.stem.endswith(kind)]
    config_class, needed = NEEDED[kind]
    return kind, parse_args(config_class, ["--config", str(path), *needed])


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_each_settings_file_is_taken_by_its_command_and_its_networks(path):
    kind, config = settings_of(path)
    if kind == "demixer":
        for demixer in config.demixers:
            check_options(load("models.demixers", demixer), config.demixer_options, str(path))
    elif kind == "embedder":
        assert load("models.embedders", config.network)(20, **config.network_options).embedding_dim > 0
    else:
        load("models.classifiers", config.network)(512, 10, **config.network_options)


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_features_are_those_that_a_model_computes_from_a_waveform(recipe):
    front_end = FrontEndConfig()
    assert read_mfcc_config(recipe / "conf/mfcc.conf") == front_end.mfcc
    assert read_vad_config(recipe / "conf/vad.conf") == front_end.vad


def test_the_functions_of_the_recipes_exist():
    text = (EGS / "common/demix.sh").read_text()
    functions = text.split('\nfunctions="')[1].split('"')[0].split()
    assert len(functions) == 6
    assert set(functions) <= set(available("models.demixers"))
