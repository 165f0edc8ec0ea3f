"""The commands of extraction as a user types them, on a small untrained network: what is written and what is said."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.made_up_trials import make_trials, write_outputs

from zspex_toolkit.bin import (
    calibrate_presence,
    check_model,
    enroll,
    export,
    extract,
    extract_trials,
    pack_model,
    score_extraction,
    score_mixtures,
)
from zspex_toolkit.config import dump_config, run
from zspex_toolkit.errors import UserError
from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.table import read_table
from zspex_toolkit.models.extractors.band_split import SMALL as BAND_SPLIT
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor
from zspex_toolkit.train.checkpoint import save_weights


def paths(extraction, *names):
    return ",".join(str(extraction / name) for name in names)


def test_a_voice_is_extracted_at_the_rate_and_length_of_the_mixture(extraction, capsys):
    extract.main(
        [
            *("--model", str(extraction / "exp"), "--mixture", paths(extraction, "mix.wav"), "--device", "cpu"),
            *("--enrollment", paths(extraction, "me.wav", "me_again.wav"), "--output", paths(extraction, "out.flac")),
            *("--sample_format", "int24", "--normalize_output", "peak"),
        ]
    )
    info = soundfile.info(extraction / "out.flac")
    assert (info.frames, info.samplerate, info.subtype) == (32000, 16000, "PCM_24")
    assert np.abs(soundfile.read(extraction / "out.flac")[0]).max() == pytest.approx(0.9, abs=1e-3)
    assert capsys.readouterr().out == f"{extraction}/out.flac: 2.00 s, presence unknown\n"


def test_a_list_with_a_failure_ends_with_status_1_and_one_line_a_fault(extraction, monkeypatch, capsys):
    lines = (("mix.wav", "me.wav", "a.wav"), ("none.wav", "me.wav", "b.wav"), ("mix.wav", "me_again.wav", "c.wav"))
    (extraction / "jobs.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    monkeypatch.chdir(extraction)
    monkeypatch.setattr("signal.signal", lambda *_: None)  # a broken pipe of a later test would end all tests
    monkeypatch.setattr(sys, "argv", ["extract", "--model", "exp", "--list", "jobs.tsv", "--device", "cpu"])
    with pytest.raises(SystemExit) as end:
        run(extract.main)
    assert end.value.code == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "a.wav: 2.00 s, presence unknown",
        "c.wav: 2.00 s, presence unknown",
        "jobs.tsv: 3 jobs in, 2 done, 1 failed",
    ]
    faults = [line for line in said.err.splitlines() if "resampled" not in line]
    assert faults[1:] == ["jobs.tsv:2: none.wav: no such file or directory", "extract: 1 of 3 jobs failed: jobs.tsv:2"]
    assert [Path(name).exists() for name in ("a.wav", "b.wav", "c.wav")] == [True, False, True]


def test_a_gpu_that_is_not_there_is_one_line_and_nothing_is_written(extraction):
    with pytest.raises(UserError, match="device: 'cuda:99' is not there, this machine has"):
        extract.main(
            [
                *("--model", str(extraction / "exp"), "--mixture", paths(extraction, "mix.wav"), "--device", "cuda:99"),
                *("--enrollment", paths(extraction, "me.wav"), "--output", paths(extraction, "out.wav")),
            ]
        )
    assert not (extraction / "out.wav").exists()


def test_a_clue_is_made_once_and_used(extraction, capsys):
    model = ("--model", str(extraction / "exp"), "--device", "cpu")
    recordings = f"{extraction}/me.wav,{extraction}/me_again.wav"
    enroll.main([*model, "--enrollment", recordings, "--output", f"{extraction}/me.clue"])
    assert capsys.readouterr().out == f"{extraction}/me.clue: the clue of 2 recordings\n"
    outputs = []
    for who in (("--enrollment", recordings), ("--clue", f"{extraction}/me.clue")):
        outputs.append(extraction / f"{who[0]}.wav")
        extract.main([*model, "--mixture", f"{extraction}/mix.wav", *who, "--output", str(outputs[-1])])
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_a_packed_model_extracts_what_its_experiment_extracts(extraction):
    pack_model.main(["--model", str(extraction / "exp"), "--out", str(extraction / "packed"), "--storage", "int8"])
    mixture, enrollment = (str(extraction / name) for name in ("mix.wav", "me.wav"))
    arguments = ["--mixture", mixture, "--enrollment", enrollment, "--device", "cpu"]
    for model in ("exp", "packed"):
        extract.main(["--model", str(extraction / model), "--output", str(extraction / f"{model}.wav"), *arguments])
    full, small = (soundfile.read(extraction / f"{model}.wav")[0] for model in ("exp", "packed"))
    assert np.corrcoef(full, small)[0, 1] > 0.99


def test_a_network_is_exported_by_its_folder_and_one_without_graphs_is_refused(extraction, capsys):
    pytest.importorskip("onnxruntime")
    with pytest.raises(UserError, match="is a zspex; expected a network that can be exported: band_split"):
        export.main(["--model", f"{extraction}/exp", "--out", f"{extraction}/me.onnx"])
    spec = ExtractorSpec("band_split", BAND_SPLIT["causal"], 8000, 3)
    (extraction / "bands").mkdir()
    (extraction / "bands" / "model.yaml").write_text(dump_config(spec))
    save_weights(build_extractor(spec).state_dict(), extraction / "bands" / "best.safetensors")
    export.main(["--model", f"{extraction}/bands", "--out", f"{extraction}/me.onnx", "--int8", "true"])
    names = "me_enroll.onnx, me.onnx, me_stream.onnx"
    assert capsys.readouterr().out.startswith(f"{extraction}: {names}: band_split at 8000 Hz, int8 adds an error of -")
    assert sorted(path.name for path in extraction.glob("*.onnx")) == sorted(names.split(", "))


def test_every_trial_gets_a_voice_and_a_score(extraction, trial_dir, capsys):
    given = ["--model", str(extraction / "exp"), "--data", str(trial_dir), "--device", "cpu"]
    calibrate_presence.main(given)
    assert "presence score fitted to 10 trials" in capsys.readouterr().out
    extract_trials.main([*given, "--out", str(extraction / "out")])
    voices, scores = read_table(extraction / "out" / "wav.scp"), read_table(extraction / "out" / "presence")
    assert list(voices) == list(scores) == list(read_table(trial_dir / "wav.scp"))
    assert {audio_info(voice).num_samples for voice in voices.values()} == {4000}
    assert all(0 < float(score) < 1 for score in scores.values())


def test_what_was_extracted_is_scored_over_the_mixtures(tmp_path, capsys):
    trials = make_trials(tmp_path)
    outputs = write_outputs(
        tmp_path / "net" / "extracted" / "test", trials, lambda _, target, rest: target + 0.1 * rest
    )
    mixture, scores = tmp_path / "mixture", tmp_path / "net" / "scores" / "test"
    score_mixtures.main(
        [*("--data", str(trials), "--out", str(mixture), "--metrics", "si_sdr", "--expected_si_sdr", "0.0")]
    )
    score_extraction.main(
        [
            *("--data", str(trials), "--extracted", str(outputs), "--out", str(scores), "--metrics", "si_sdr"),
            *("--mixture_scores", str(mixture), "--nj", "2"),
        ]
    )
    found = json.loads((scores / "scores.json").read_text())
    assert found["groups"][0]["metrics"]["si_sdri"]["mean"] == pytest.approx(20, abs=0.02)
    assert "net, 8 trials, 0 with a measure dropped: si_sdr 20.0" in capsys.readouterr().out


def test_the_gates_of_a_model_are_a_table_and_strict_is_status_1(extraction, capsys, monkeypatch):
    data, out = make_trials(extraction / "gates"), extraction / "gates_out"
    arguments = ["--model", str(extraction / "exp"), "--trials", str(data), "--out", str(out), "--gates", "rate,file"]
    check_model.main(arguments)
    assert capsys.readouterr().out.splitlines()[-1] == f"{out}: 1 passed, 1 failed, 0 measured"
    assert "| rate | sampling rate | at least 16000 Hz | 8000 Hz | failed |  |" in (out / "GATES.md").read_text()
    monkeypatch.setattr(sys, "argv", ["check_model"])
    with pytest.raises(SystemExit) as ended:
        run(lambda: check_model.main([*arguments, "--strict", "true"]))
    assert ended.value.code == 1 and capsys.readouterr().err == "check_model: 1 of 2 gates failed: rate\n"
