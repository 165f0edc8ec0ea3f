"""egs/<corpus>/tse1: settings that the real parsers and networks take, and a ladder whose rows differ in one line."""

import inspect
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from zspex_toolkit.config import parse_args
from zspex_toolkit.data.front_end import read_mfcc_config
from zspex_toolkit.registry import load
from zspex_toolkit.simulation.plan import read_trials
from zspex_toolkit.tasks import embedding, extraction, extraction_loss
from zspex_toolkit.tasks.losses import Losses

EGS = Path(__file__).parents[2] / "egs"
RECIPES = sorted(path.parent for path in EGS.glob("*/tse1/run.sh"))
CONFIGS = sorted(EGS.glob("*/tse1/conf/**/*.yaml"))
LADDER = EGS / "speechocean762/tse1/conf/ladder"


def name(path):
    return str(path.relative_to(EGS))


def settings_of(path):
    return parse_args(extraction.Config, ["--config", str(path), "--exp_dir", "e", "--draw.source_data", "d"])


def facts_of(recipe):
    """Options that run.sh states, by name."""
    lines = (recipe / "run.sh").read_text().splitlines()
    words = [line.strip().rstrip("\\").split(maxsplit=1) for line in lines if line.startswith("    --")]
    return {option[2:]: value.strip().strip('"') for option, value in words}


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_each_settings_file_is_taken_by_its_command_and_its_network(path):
    if path.stem == "xvector":
        config = parse_args(embedding.Config, ["--config", str(path), "--data", "d", "--exp_dir", "e"])
        Losses(config.losses, embedding.OFFERS, "embedding")
        assert load("models.embedders", config.network)(40, **config.network_options).embedding_dim > 0
        return
    config = settings_of(path)
    extraction_loss.ExtractionLoss(config.losses, speaker_epochs=config.draw.speaker_epochs)
    with torch.device("meta"):  # no memory for the weights of the full-size nets
        network = load("models.extractors", config.extractor)(num_speakers=5, **config.extractor_options)
    assert sum(weights.numel() for weights in network.parameters()) > 10_000


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_both_systems_are_trained_alike_at_the_rate_of_the_recipe(recipe):
    spex_plus, zspex = (settings_of(recipe / f"conf/{system}.yaml") for system in ("spex_plus", "zspex"))
    assert (spex_plus.extractor, zspex.extractor) == ("spex_plus", "zspex")
    assert (spex_plus.train, spex_plus.draw, spex_plus.losses) == (zspex.train, zspex.draw, zspex.losses)
    rate = int(facts_of(recipe).get("fs", 8000))
    assert {spex_plus.fs, zspex.fs, read_mfcc_config(recipe / "conf/mfcc.conf").fs} == {rate}


def rows_of(path):
    """A settings file without its comments."""
    return [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]


ROWS = ["spex_plus", "shared_fuser", "scale_inter_fuser", "consm", "zspex"]  # each one switch from the one before
ABLATED = ["unshared_fuser", "without_norm"]  # each one switch from zspex


def test_the_ladder_has_seven_rows_each_one_line_from_another():
    assert {path.stem for path in LADDER.glob("*.yaml")} == {*ROWS, *ABLATED}
    for one, other in [*pairwise(ROWS), *(("zspex", row) for row in ABLATED)]:
        lines = [rows_of(LADDER / f"{row}.yaml") for row in (one, other)]
        changes = [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]]
        assert len(changes) == 1, f"{one} and {other} differ in {changes}"


@pytest.mark.parametrize("name", ["spex_plus", "zspex"])
def test_the_first_and_fifth_row_are_spex_plus_and_zspex(name):
    options = settings_of(LADDER / f"{name}.yaml").extractor_options
    constructor = load("models.extractors", name)
    taken = inspect.signature(constructor).parameters
    with torch.device("meta"):
        row = load("models.extractors", "zspex")(num_speakers=9, **options)
        paper = constructor(num_speakers=9, **{key: value for key, value in options.items() if key in taken})
    shapes = [{key: value.shape for key, value in network.state_dict().items()} for network in (row, paper)]
    assert shapes[0] == shapes[1]


def test_the_ladder_is_compared_in_its_order():
    (listed,) = re.findall(r'^compared="(\S+)"$', (LADDER.parents[1] / "ladder.sh").read_text(), re.MULTILINE)
    assert listed.split(",") == [*ROWS, *(f"{row}:zspex" for row in ABLATED)]


def test_many_voices_tests_on_the_trials_of_speechocean762_at_twice_the_rate():
    lists = "speechocean762/tse1/conf/trials_test.jsonl", "many_voices/tse1/conf/trials_speechocean762.jsonl"
    (slow, fast), prefix = (read_trials(EGS / path) for path in lists), "speechocean762-"
    assert len(slow) == len(fast) == 1040
    for one, other in zip(slow, fast, strict=True):
        assert (other.role, other.spk, other.mixture.snr_db) == (one.role, prefix + one.spk, one.mixture.snr_db)
        assert (other.mixture.fs, other.mixture.num_samples) == (16000, 2 * one.mixture.num_samples)
        pairs = [*zip(one.mixture.sources, other.mixture.sources, strict=True)]
        for before, now in [*pairs, (one.enrollment.passage, other.enrollment.passage)]:
            assert now.utterances == [prefix + utt for utt in before.utterances]
            assert now.start == 2 * before.start and 0 <= 2 * before.num_samples - now.num_samples <= 2


def inputs_of_stages():
    """Words between "for" and "makes" of each stage of tse.sh."""
    script = (EGS / "common/tse.sh").read_text()
    found = re.findall(r'in_stage (\d) "[^"]*" for (.*?) *(?:\\\n *)?makes ', script, re.DOTALL)
    return {int(number): words.replace("\\\n", " ").split() for number, words in found}


def test_trainings_depend_on_the_audio_and_not_only_on_its_names():
    inputs = inputs_of_stages()
    assert set(inputs) == set(range(1, 9))
    for stage in (2, 3, 5):  # another corpus may have the same utterances
        assert "data/stages/1" in inputs[stage]
    assert "data/trials_dev" in inputs[5]


def test_scores_depend_on_what_was_extracted_and_not_only_on_its_names():
    inputs = inputs_of_stages()
    assert '"${extracted[@]%/wav.scp}"' in inputs[7]  # the folders, whose made_from.json tells the weights
    assert "data/trials_dev_absent" in inputs[6] and '"$report_args"' in inputs[8]
