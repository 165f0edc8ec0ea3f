"""Tests of scoring a folder of outputs: files written, lists checked, faults counted."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from support.made_up_trials import FS, write_outputs

from zspex_toolkit.errors import AudioError, ConfigError, DataDirError, UserError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.registry import available
from zspex_toolkit.score.extraction import (
    COSTS,
    Config,
    MixturesConfig,
    provenance,
    score_extraction,
    score_mixtures,
    system_of,
)

SI_SDR = ("si_sdr",)


def nearly_clean(trial, target, rest):
    """A tenth of the interferer's amplitude is left: 20 dB are gained."""
    return target + 0.1 * rest


@pytest.fixture
def outputs(trial_dir, tmp_path):
    """Of system `net`, laid out as an experiment."""
    return write_outputs(tmp_path / "exp" / "net" / "extracted" / "test", trial_dir, nearly_clean)


def read_scores(folder):
    rows = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    return json.loads((folder / "scores.json").read_text()), {row["id"]: row for row in rows}


def scored(trial_dir, outputs, **options):
    """Scores and rows, by SI-SDR alone."""
    folder = trial_dir.parent / "scores"
    score_extraction(Config(trial_dir, outputs, folder, metrics=SI_SDR, **options))
    return read_scores(folder)


def group(scores, by="all", value="all"):
    return next(one for one in scores["groups"] if (one["by"], one["value"]) == (by, value))


def test_every_trial_gains_what_the_outputs_were_made_to_gain(trial_dir, outputs):
    scores, rows = scored(trial_dir, outputs)
    assert list(rows) == sorted(read_table(trial_dir / "utt2spk"))
    assert [row["si_sdri"] for row in rows.values() if "si_sdri" in row] == pytest.approx([20] * 6, abs=0.02)
    everything = group(scores)
    assert everything["num_trials"] == 6
    assert everything["metrics"]["si_sdri"]["mean"] == pytest.approx(20, abs=0.02)
    assert everything["metrics"]["share_above_1_db"]["mean"] == 1.0
    assert everything["metrics"]["confusion"]["mean"] == 0.0
    assert group(scores, "pair", "female")["num_trials"] == 2
    assert group(scores, "condition", "absent")["metrics"]["energy_left_db"]["mean"] == pytest.approx(-20, abs=0.05)


def test_the_header_says_what_was_scored(trial_dir, outputs, tmp_path):
    exp = tmp_path / "exp" / "net"
    (exp / "config.yaml").write_text("train: {seed: 7}\n")
    (outputs / "extraction.json").write_text(json.dumps({"num_parameters": 123, "real_time_factor": 0.5}))
    scores, _ = scored(trial_dir, outputs)
    facts = {name: scores[name] for name in ("system", "set", "fs", "targets", "num_trials", "num_dropped", "metrics")}
    assert facts == {
        "system": "net",
        "set": "test",
        "fs": FS,
        "targets": "both",
        "num_trials": 8,
        "num_dropped": 0,
        "metrics": ["si_sdr"],
    }
    assert scores["config_hash"] == hashlib.sha256(b"train: {seed: 7}\n").hexdigest()[:12]
    assert (scores["seed"], scores["num_parameters"], scores["real_time_factor"]) == (7, 123, 0.5)
    assert scores["macs_per_second"] is None and scores["versions"]["numpy"] == np.__version__


def test_the_mixtures_gain_nothing(trial_dir, tmp_path, capsys):
    score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=SI_SDR, expected_si_sdr=0.0))
    scores, _ = read_scores(tmp_path / "mixture")
    found = group(scores)["metrics"]
    assert found["si_sdr"]["mean"] == pytest.approx(0, abs=0.01)  # over both roles
    assert (found["si_sdri"]["mean"], found["share_above_1_db"]["mean"]) == (0.0, 0.0)
    assert scores["system"] == "mixture" and scores["expected_si_sdr"] == 0.0
    said = capsys.readouterr()
    assert "SI-SDR of the mixtures" in said.out and "as expected (0 dB)" in said.out and "!!!" not in said.err


def test_mixtures_that_are_not_as_known_are_told_loudly(trial_dir, tmp_path, capsys):
    score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=SI_SDR, expected_si_sdr=2.5, tolerance=0.3))
    said = capsys.readouterr().err
    assert said.startswith("!" * 80)
    assert "SI-SDR of the unprocessed mixtures is 0.00 dB, expected 2.5 dB to within 0.3 dB" in said.replace(
        "-0.00", "0.00"
    )
    score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=SI_SDR, expected_si_sdr=2.5, tolerance=2.6))
    assert capsys.readouterr().err.count("!!!") == 0


def test_scores_of_the_mixtures_serve_every_system(trial_dir, outputs, tmp_path, monkeypatch):
    score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=("si_sdr", "stoi")))
    score_extraction(Config(trial_dir, outputs, tmp_path / "alone", metrics=("si_sdr", "stoi")))
    calls = []
    from zspex_toolkit.metrics.speech import stoi as module

    monkeypatch.setattr(module, "stoi", lambda *signals, fs: calls.append(fs) or 1.0)
    score_extraction(
        Config(trial_dir, outputs, tmp_path / "with", metrics=("si_sdr", "stoi"), mixture_scores=tmp_path / "mixture")
    )
    assert len(calls) == 1 + 6  # the trial run, and the outputs of six trials of two speakers
    alone, rows = read_scores(tmp_path / "alone")[1], read_scores(tmp_path / "with")[1]
    assert {name: row.get("stoi_mixture") for name, row in rows.items()} == {
        name: row.get("stoi_mixture") for name, row in alone.items()
    }


def test_scores_of_mixtures_that_were_rendered_anew_are_refused(trial_dir, outputs, tmp_path):
    score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=SI_SDR))
    mixture = read_table(trial_dir / "wav.scp")["ann-m2"]  # of a louder interferer, with the old name and length
    references = [read_audio(read_table(trial_dir / name)["ann-m2"])[0] for name in ("spk1.scp", "spk2.scp")]
    write_audio(mixture, references[0] + 2 * references[1], FS)
    with pytest.raises(DataDirError, match=r"ann-m2: .* is -?0\.00 dB, not 6\.02 dB as scored before; score the"):
        scored(trial_dir, outputs, mixture_scores=tmp_path / "mixture")


def test_scores_of_other_mixtures_are_refused(trial_dir, outputs, tmp_path):
    (tmp_path / "few").write_text("ann-m1\n")
    score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=SI_SDR, exclude=tmp_path / "few"))
    with pytest.raises(DataDirError, match=r"mixture/scores.json: of another list of trials \(\w+, not \w+\)"):
        scored(trial_dir, outputs, mixture_scores=tmp_path / "mixture")
    with pytest.raises(DataDirError, match=r"nowhere: expected scores.json and trials.jsonl of score_mixtures"):
        scored(trial_dir, outputs, mixture_scores=tmp_path / "nowhere")


def test_the_number_of_processes_does_not_matter(trial_dir, outputs, tmp_path):
    for nj in (1, 3):
        score_extraction(Config(trial_dir, outputs, tmp_path / str(nj), metrics=SI_SDR, nj=nj))
    assert (tmp_path / "1" / "trials.jsonl").read_bytes() == (tmp_path / "3" / "trials.jsonl").read_bytes()


def test_presence_is_read_where_it_is(trial_dir, outputs):
    names = read_table(trial_dir / "utt2spk")
    write_table(outputs / "presence", {name: 0.2 if name in ("ann-m1", "dan-m4") else 0.8 for name in names})
    scores, rows = scored(trial_dir, outputs)
    assert rows["ann-m1"]["presence"] == 0.2
    rejected = group(scores, "condition", "present")["metrics"]["false_rejection"]["mean"]
    accepted = group(scores, "condition", "absent")["metrics"]["false_acceptance"]["mean"]
    assert (rejected, accepted) == (pytest.approx(1 / 6, abs=1e-4), 0.0)


def test_dropped_measures_are_counted_named_and_limited(trial_dir, outputs, tmp_path):
    write_audio(outputs / "bob-m3.wav", np.zeros(FS), FS)
    with pytest.raises(
        UserError, match=r"a measure failed on 1 of 8 trials, more than 5 %; the first: bob-m3: the outp"
    ):
        scored(trial_dir, outputs)
    score_extraction(Config(trial_dir, outputs, tmp_path / "again", metrics=SI_SDR, max_dropped_share=0.2))
    for folder in ("scores", "again"):  # written before the limit is looked at
        scores, _ = read_scores(tmp_path / folder)
        assert (scores["num_dropped"], scores["dropped"]) == (1, ["bob-m3: the output is silent"])
        assert group(scores)["metrics"]["share_above_1_db"]["mean"] == pytest.approx(5 / 6, abs=1e-4)


def test_outputs_must_have_the_trials_of_the_list(trial_dir, outputs, tmp_path):
    wavs = read_table(outputs / "wav.scp")
    (tmp_path / "gone").write_text("cat-m5\n")
    write_table(outputs / "wav.scp", {name: path for name, path in wavs.items() if name != "cat-m5"})
    with pytest.raises(DataDirError, match=r"wav.scp: no line for 'cat-m5' \(1 of 8 trials\); extract again"):
        scored(trial_dir, outputs)
    assert scored(trial_dir, outputs, exclude=tmp_path / "gone")[0]["num_trials"] == 7
    write_table(outputs / "wav.scp", wavs | {"eve-m9": "eve.wav"})
    with pytest.raises(
        DataDirError, match=r"wav.scp: 'eve-m9' is no trial of .*; was it extracted from another list\?"
    ):
        scored(trial_dir, outputs)
    (outputs / "wav.scp").unlink()
    with pytest.raises(DataDirError, match=r"wav.scp: no such file; extract_trials writes it"):
        scored(trial_dir, outputs)


@pytest.mark.parametrize("value", ["1.5", "nan", "yes"])
def test_a_presence_that_is_no_probability_is_an_error(trial_dir, outputs, value):
    write_table(outputs / "presence", dict.fromkeys(read_table(trial_dir / "utt2spk"), value))
    with pytest.raises(DataDirError, match=rf"presence: 'ann-m1': expected a probability from 0 to 1, got '{value}'"):
        scored(trial_dir, outputs)


def test_an_unknown_metric_is_met_with_the_nearest_one(trial_dir, tmp_path):
    with pytest.raises(ConfigError, match=r"unknown name 'stoy' in metrics.speech; did you mean 'e?stoi'\?"):
        score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=("stoy",)))


def test_a_metric_that_the_rate_forbids_is_refused_before_the_work(trial_dir, tmp_path):
    for path in sorted((tmp_path / "audio").glob("*.wav")):
        write_audio(path, np.zeros(100), 11025)
    with pytest.raises(ConfigError, match="pesq: expected audio at 8000 or 16000 Hz, got 11025 Hz"):
        score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=("pesq",)))


def test_mixtures_of_several_rates_are_an_error(trial_dir, tmp_path):
    write_audio(tmp_path / "audio" / "m3.wav", np.zeros(2 * FS), 2 * FS)
    with pytest.raises(AudioError, match=r"bob-m3: .*m3.wav: expected 8000 Hz, found 16000 Hz"):
        score_mixtures(MixturesConfig(trial_dir, tmp_path / "mixture", metrics=SI_SDR))


def test_all_measures_of_noise_like_speech_agree_on_what_is_better(trial_dir, tmp_path):
    pytest.importorskip("pesq")
    names = ("si_sdr", "sdr", "pesq", "stoi", "estoi")
    rng = np.random.default_rng(0)
    syllables = 0.1 + np.sin(2 * np.pi * 3 * np.arange(2 * FS) / FS) ** 2
    sources = {name: 0.05 * syllables * rng.standard_normal(2 * FS) for name in ("ann", "bob")}
    for name, signal in {**sources, "both": sources["ann"] + sources["bob"]}.items():
        write_audio(tmp_path / "noise" / f"{name}.wav", signal, FS)
    for table, name in (("wav.scp", "both"), ("spk1.scp", "ann"), ("spk2.scp", "bob"), ("enroll_spk1.scp", "ann")):
        write_table(trial_dir / table, {"ann-m1": tmp_path / "noise" / f"{name}.wav"})
    for table in ("utt2spk", "utt2condition"):
        write_table(trial_dir / table, {"ann-m1": read_table(trial_dir / table)["ann-m1"]})
    outputs = write_outputs(tmp_path / "out", trial_dir, nearly_clean)
    score_extraction(Config(trial_dir, outputs, tmp_path / "scores", metrics=names))
    row = read_scores(tmp_path / "scores")[1]["ann-m1"]
    assert all(row[f"{name}i"] > 0 for name in names)
    assert all(row[name] - row[f"{name}_mixture"] == pytest.approx(row[f"{name}i"], abs=2e-4) for name in names)


def test_every_field_and_measure_is_told_in_the_documentation(trial_dir, outputs):
    docs = Path(__file__).parents[2] / "docs"
    fields = (docs / "data_format.md").read_text(encoding="utf-8").partition("## Scores of extraction")[2]
    fields = fields.partition("\n## ")[0]
    scores, rows = scored(trial_dir, outputs)
    names = {*scores, *rows["ann-m1"]} - {"si_sdr", "si_sdr_mixture", "si_sdri", "dropped", "groups"}
    assert {name for name in names if f"`{name}`" not in fields} == set()
    glossary = (docs / "metrics.md").read_text(encoding="utf-8")
    derived = [name for one in scores["groups"] for name in one["metrics"] if not name.startswith("si_sdr")]
    assert {name for name in {*available("metrics.speech"), *derived} if f"`{name}`" not in glossary} == set()


@pytest.fixture
def extracted(tmp_path):
    folder = tmp_path / "net" / "extracted" / "test"
    folder.mkdir(parents=True)
    return folder


def test_the_system_is_called_after_its_experiment(extracted, tmp_path, monkeypatch):
    assert system_of(extracted) == "net"
    assert system_of(tmp_path / "elsewhere") == "elsewhere"
    monkeypatch.chdir(tmp_path / "net")
    assert system_of(extracted.relative_to(tmp_path / "net")) == "net"


def test_what_is_not_known_is_none(extracted):
    for facts in (provenance(extracted), provenance(None)):
        assert facts.pop("commit")
        assert facts == {"config_hash": None, "seed": None, **dict.fromkeys(COSTS)}


def test_settings_of_a_folder_that_is_no_experiment_are_not_taken(tmp_path):
    (tmp_path / "config.yaml").write_text("train: {seed: 3}\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert provenance(tmp_path / "a" / "b")["seed"] is None


def test_costs_are_those_of_the_extraction(extracted):
    (extracted / "extraction.json").write_text('{"macs_per_second": 2e9, "device": "cpu", "num_trials": 8}')
    facts = provenance(extracted)
    assert (facts["macs_per_second"], facts["device"], facts["num_parameters"]) == (2e9, "cpu", None)
    assert "num_trials" not in facts


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("extraction.json", "{", r"extraction.json: broken \(.*\); make it again"),
        ("extraction.json", "[1]", "extraction.json: expected names and values, got list"),
        ("../../config.yaml", "a: [", r"config.yaml: broken \(.*\); make it again"),
    ],
)
def test_broken_files_are_named(extracted, name, text, message):
    (extracted / name).write_text(text)
    with pytest.raises(DataDirError, match=message):
        provenance(extracted)
