"""egs/<corpus>/<task>: facts only, and options that are checked before anything is made."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import write_table
from zspex_toolkit.registry import available

EGS = Path(__file__).parents[2] / "egs"
RECIPES = sorted(path.parent for path in EGS.glob("*/*/run.sh"))
SCRIPTS = {"asr1": "asr.sh", "demix1": "demix.sh", "tse1": "tse.sh"}


def test_there_is_a_recipe_for_each_corpus():
    assert {str(recipe.relative_to(EGS)) for recipe in RECIPES} >= {
        *(f"{corpus}/demix1" for corpus in ("mini", "speechocean762", "timit", "mc_wsj_av", "voxceleb")),
        *("mini/tse1", "speechocean762/tse1"),
    }


def name(path):
    return str(path.relative_to(EGS))


each_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=name)


def run(recipe, *argv, cwd=None, **variables):
    corpora = {corpus.upper() for corpus in available("corpora")}
    environment = {key: value for key, value in os.environ.items() if key not in corpora} | variables
    done = subprocess.run([recipe / "run.sh", *argv], cwd=cwd, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@each_recipe
def test_a_recipe_is_at_most_25_lines_of_facts_and_a_few_files(recipe):
    assert len((recipe / "run.sh").read_text().splitlines()) <= 25
    files = {path.name for path in recipe.iterdir()} - {"data", "dump", "exp", "downloads"}
    assert {"run.sh", "conf", "README.md"} <= files
    # Through exec, so that run.sh may be edited while it runs: bash would go on reading it where it was.
    assert f'\nexec "$here/../../common/{SCRIPTS[recipe.name]}"' in (recipe / "run.sh").read_text()
    assert not any(path.is_symlink() for path in recipe.iterdir())


@each_recipe
def test_help_lists_the_options_and_does_nothing(recipe, tmp_path):
    status, output, _ = run(recipe, "--help", cwd=tmp_path)
    assert status == 0
    settings = "--train_configs" if recipe.name == "tse1" else "--train_config"
    for option in ("--stage", "--stop_stage", "--nj", "--ngpu", settings, "--train_args", "--exp_tag"):
        assert f"  {option} " in output
    assert list(tmp_path.iterdir()) == []


@each_recipe
def test_a_misspelt_option_stops_the_recipe_before_anything_is_made(recipe, tmp_path):
    status, output, errors = run(recipe, "--work_dir", tmp_path / "new", "--stop_stag", "1")
    assert (status, output) == (2, "")
    script = SCRIPTS[recipe.name]
    assert errors == f"{script}: unknown option --stop_stag; did you mean --stop_stage?; --help lists the options\n"
    assert not (tmp_path / "new").exists()


OF_ONE_CORPUS = [path for path in RECIPES if path.parent.name not in ("mini", "many_voices")]


@pytest.mark.parametrize("recipe", OF_ONE_CORPUS, ids=name)
def test_a_missing_corpus_root_is_one_line_that_says_what_to_set(recipe, tmp_path):
    corpus = recipe.parent.name
    status, _, errors = run(recipe, "--work_dir", tmp_path)
    assert status == 1
    told = f"where is the corpus {corpus}? Give --corpus_dir DIR or set the variable: export {corpus.upper()}=DIR"
    assert told in errors and errors.count("\n") == 1
    status, _, errors = run(recipe, "--work_dir", tmp_path, **{corpus.upper(): "/no/such"})
    assert status == 1
    assert f"no such folder: /no/such; give --corpus_dir DIR or set {corpus.upper()}" in errors


@pytest.mark.parametrize("task", SCRIPTS)
def test_an_unknown_back_end_is_named_with_the_known_ones(task, tmp_path):
    status, _, errors = run(EGS / "mini" / task, "--work_dir", tmp_path, "--cmd_backend", "lokal")
    assert status == 1
    assert errors == "cmd.sh: unknown cmd_backend 'lokal'; known are: local sge slurm\n"


@pytest.mark.parametrize(
    ("task", "option", "value", "messages"),
    [
        ("demix1", "--train_config", "conf/tuned", ["no such file: conf/tuned, neither here nor in "]),
        ("tse1", "--train_configs", "conf/tuned", ["no such file: conf/tuned, neither here nor in "]),
        ("tse1", "--systems", "conv_tasnet", ["no settings for 'conv_tasnet' in ", "spex_plus.yaml"]),
    ],
)
def test_missing_settings_are_named(task, option, value, messages, tmp_path):
    status, _, errors = run(EGS / "mini" / task, "--work_dir", tmp_path, option, value)
    assert status == 1
    assert f"{option}: {messages[0]}" in errors and messages[-1] in errors


def test_a_settings_file_may_lie_where_the_user_stands(tmp_path):
    (tmp_path / "mine.yaml").write_text("train:\n  num_epochs: 1\n")
    options = ("--work_dir", "work", "--train_config", "mine.yaml", "--stage", "9", "--stop_stage", "8")
    status, _, errors = run(EGS / "mini/demix1", *options, cwd=tmp_path)
    assert status == 1
    assert "--stage 9 is after --stop_stage 8" in errors


@pytest.mark.parametrize("recipe", ["timit/demix1", "speechocean762/tse1"])
def test_a_stage_that_fails_names_itself(recipe, tmp_path):
    (tmp_path / "CORPUS").mkdir()
    status, _, errors = run(EGS / recipe, "--work_dir", tmp_path / "work", "--corpus_dir", tmp_path / "CORPUS")
    assert status == 1
    assert "stage 1 (Data" in errors
    assert ") failed with status 1 at: " in errors


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("many_voices", (), 'on what to train? Give --train_data, data directories or corpora: --train_data "speech'),
        ("many_voices", ("--train_data", "d", "--other_sets", "seen=d"), "--other_sets: 'seen' is the name of another"),
        ("mini", ("--other_sets", "a=d"), "mini brings its own data; start egs/many_voices/tse1/run.sh with them"),
    ],
)
def test_data_to_join_are_asked_for_and_only_where_they_are_taken(recipe, options, message, tmp_path):
    status, _, errors = run(EGS / recipe / "tse1", "--work_dir", tmp_path, *options)
    assert status == 1
    assert message in errors and errors.count("\n") == 1


def test_corpora_of_any_rate_and_with_relative_paths_are_joined_resampled_and_split(tmp_path, monkeypatch):
    write_recordings(tmp_path / "mine", speakers=("ann", "bob"), fs=8000)
    write_recordings(tmp_path / "theirs", speakers=("bob", "eve"), fs=22050)
    write_recordings(tmp_path / "strangers", speakers=("joe", "kim"), fs=16000)
    options = (
        "--train_data",
        "mine theirs",
        "--test_speakers",
        "1",
        "--other_sets",
        "street=strangers",
        "--fs",
        "16000",
    )
    status, output, errors = run(
        EGS / "many_voices/tse1", "--work_dir", "w", "--stop_stage", "1", *options, cwd=tmp_path
    )
    assert status == 0, errors
    monkeypatch.chdir(tmp_path / "w")
    train, test, street = (DataDir.load(Path("data", name)) for name in ("train", "test", "other_street"))
    assert {*train.spk2utt, *test.spk2utt} == {"mine-ann", "mine-bob", "theirs-bob", "theirs-eve"}
    assert (len(test.spk2utt), list(street.spk2utt)) == (1, ["street-joe", "street-kim"])
    for data in (train, test, street):
        assert {data.read_audio(utt)[1] for utt in data.utterances} == {16000}
    assert "done before" not in output
    _, output, _ = run(EGS / "many_voices/tse1", "--work_dir", "w", "--stop_stage", "1", *options, cwd=tmp_path)
    assert "Stage 1: Data: prepare, resample, split: done before" in output


def write_recordings(path, *, speakers, fs):
    """A data directory of three seconds a speaker, whose wav.scp has paths relative to itself."""
    (path / "wav").mkdir(parents=True)
    utts = {f"{spk}-{number}": spk for spk in speakers for number in range(3)}
    for seed, utt in enumerate(utts):
        samples = 0.1 * np.random.default_rng(seed).standard_normal(fs)
        soundfile.write(path / "wav" / f"{utt}.flac", samples, fs)
    write_table(path / "wav.scp", {utt: f"wav/{utt}.flac" for utt in utts})
    write_table(path / "utt2spk", utts)


def in_bash(commands, cwd):
    """What commands print that may use recipe.sh, as lines."""
    sourced = f". {EGS}/common/stages.sh && . {EGS}/common/recipe.sh"
    done = subprocess.run(["bash", "-c", f"{sourced}\n{commands}"], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_folders_of_a_list_that_are_there_become_absolute_and_names_stay(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b=c").mkdir()
    commands = """
        train_data="a x=a so/train=a mini=downloads/mini ./b=c" test_data=
        absolute_words train_data test_data
        printf '%s\\n' "$train_data" "$test_data" "${joined_dirs[*]}"
    """
    words = ["{0}/a", "x={0}/a", "so/train={0}/a", "mini=downloads/mini", "{0}/b=c"]
    expected = [" ".join(words), "", "{0}/a {0}/a {0}/a {0}/b=c"]
    assert in_bash(commands, tmp_path) == [line.format(tmp_path) for line in expected]


def test_the_command_of_a_results_page_has_no_folders_of_the_machine(tmp_path):
    commands = f"""
        corpus=many_voices recipe_dir={EGS}/many_voices/tse1
        shown_command tse1 --train_data "x=/a/b so/train=c /d" --noise_dir /n --nj 3 --other-sets m=/e --voices 2
    """
    shown = "egs/many_voices/tse1/run.sh --train_data 'x=DIR so/train=DIR DIR' --noise_dir DIR --other-sets 'm=DIR'"
    assert in_bash(commands, tmp_path) == [f"{shown} --voices '2'"]
