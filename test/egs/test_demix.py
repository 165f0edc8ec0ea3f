"""egs/<corpus>/demix1: facts only, options that are checked, settings that the real parsers and networks take."""

import os
import subprocess
from pathlib import Path

import pytest

from zspex_toolkit.config import check_options, parse_args
from zspex_toolkit.data.feature_options import read_mfcc_config
from zspex_toolkit.infer.compute_vad import read_vad_config
from zspex_toolkit.registry import available, load
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.tasks import classification, demixing, embedding

EGS = Path(__file__).parents[2] / "egs"
RECIPES = sorted(path.parent for path in EGS.glob("*/demix1/run.sh"))
CONFIGS = sorted(EGS.glob("*/demix1/conf/*.yaml"))


def name(path):
    return str(path.relative_to(EGS))


each_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=name)


def run(recipe, *argv, cwd=None, **variables):
    corpora = {corpus.upper() for corpus in available("corpora")}
    environment = {key: value for key, value in os.environ.items() if key not in corpora} | variables
    done = subprocess.run(
        [recipe / "run.sh", *argv], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_there_is_a_recipe_for_each_de_mixing_corpus():
    assert {recipe.parent.name for recipe in RECIPES} >= {"mini", "speechocean762", "timit", "mc_wsj_av", "voxceleb"}


@each_recipe
def test_a_recipe_is_at_most_25_lines_of_facts_and_a_few_files(recipe):
    assert len((recipe / "run.sh").read_text().splitlines()) <= 25
    files = {path.name for path in recipe.iterdir()} - {"data", "dump", "exp", "downloads"}
    assert {"run.sh", "conf", "README.md"} <= files
    assert not any(path.is_symlink() for path in recipe.iterdir())


@each_recipe
def test_help_lists_the_options_and_does_nothing(recipe, tmp_path):
    status, output, _ = run(recipe, "--help", cwd=tmp_path)
    assert status == 0
    for option in ("--stage", "--stop_stage", "--nj", "--ngpu", "--train_config", "--train_args", "--exp_tag"):
        assert f"  {option} " in output
    assert list(tmp_path.iterdir()) == []


@each_recipe
def test_a_misspelt_option_stops_the_recipe_before_anything_is_made(recipe, tmp_path):
    status, output, errors = run(recipe, "--work_dir", tmp_path / "new", "--stop_stag", "1")
    assert (status, output) == (2, "")
    assert errors == "demix.sh: unknown option --stop_stag; did you mean --stop_stage?; --help lists the options\n"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("recipe", [path for path in RECIPES if path.parent.name != "mini"], ids=name)
def test_a_missing_corpus_root_is_one_line_that_says_what_to_set(recipe, tmp_path):
    corpus = recipe.parent.name
    status, _, errors = run(recipe, "--work_dir", tmp_path)
    assert status == 1
    assert (
        f"where is the corpus {corpus}? Give --corpus_dir DIR or set the variable: export {corpus.upper()}=DIR"
        in errors
    )
    assert errors.count("\n") == 1
    status, _, errors = run(recipe, "--work_dir", tmp_path, **{corpus.upper(): "/no/such"})
    assert status == 1
    assert f"no such folder: /no/such; give --corpus_dir DIR or set {corpus.upper()}" in errors


def test_an_unknown_back_end_is_named_with_the_known_ones(tmp_path):
    status, _, errors = run(EGS / "mini/demix1", "--work_dir", tmp_path, "--cmd_backend", "lokal")
    assert status == 1
    assert errors == "cmd.sh: unknown cmd_backend 'lokal'; known are: local\n"


def test_a_missing_settings_file_is_named(tmp_path):
    status, _, errors = run(EGS / "mini/demix1", "--work_dir", tmp_path, "--train_config", "conf/tuned.yml")
    assert status == 1
    assert "--train_config: no such file: conf/tuned.yml, neither here nor in " in errors


def test_a_settings_file_may_lie_where_the_user_stands(tmp_path):
    (tmp_path / "mine.yaml").write_text("train:\n  num_epochs: 1\n")
    options = ("--work_dir", "work", "--train_config", "mine.yaml", "--stage", "9", "--stop_stage", "8")
    status, _, errors = run(EGS / "mini/demix1", *options, cwd=tmp_path)
    assert status == 1
    assert "--stage 9 is after --stop_stage 8" in errors


def test_a_stage_that_fails_names_itself(tmp_path):
    (tmp_path / "TIMIT").mkdir()
    status, _, errors = run(EGS / "timit/demix1", "--work_dir", tmp_path / "work", "--corpus_dir", tmp_path / "TIMIT")
    assert status == 1
    assert "stage 1 (Data preparation) failed with status 1 at: " in errors


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


@each_recipe
def test_features_are_those_that_a_model_computes_from_a_waveform(recipe):
    front_end = FrontEndConfig()
    assert read_mfcc_config(recipe / "conf/mfcc.conf") == front_end.mfcc
    assert read_vad_config(recipe / "conf/vad.conf") == front_end.vad


def test_the_functions_of_the_recipes_exist():
    text = (EGS / "common/demix.sh").read_text()
    functions = text.split('\nfunctions="')[1].split('"')[0].split()
    assert len(functions) == 6
    assert set(functions) <= set(available("models.demixers"))
