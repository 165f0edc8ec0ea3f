"""The command as a user types it, on a small untrained network: what is written and what is said."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch

from zspex_toolkit.bin.calibrate_presence import main as calibrate_presence
from zspex_toolkit.bin.extract import main
from zspex_toolkit.bin.extract_trials import main as extract_trials
from zspex_toolkit.bin.pack_model import main as pack_model
from zspex_toolkit.config import dump_config
from zspex_toolkit.errors import UserError
from zspex_toolkit.io.table import write_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor
from zspex_toolkit.train.checkpoint import save_weights

OPTIONS = {"num_filters": 12, "bottleneck": 8, "hidden": 16, "num_blocks": 2, "num_stacks": 2, "embedding_dim": 6}


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    spec = ExtractorSpec("zspex", OPTIONS, 8000, 3)
    (tmp_path / "exp").mkdir()
    (tmp_path / "exp" / "model.yaml").write_text(dump_config(spec))
    save_weights(build_extractor(spec).state_dict(), tmp_path / "exp" / "best.safetensors")
    rng = np.random.default_rng(0)
    for name, seconds in (("mix", 2.0), ("me", 1.0), ("me_again", 0.5)):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.normal(size=int(16000 * seconds)), 16000)
    return tmp_path


def paths(folder, *names):
    return ",".join(str(folder / name) for name in names)


def test_a_voice_is_extracted_at_the_rate_and_length_of_the_mixture(folder, capsys):
    main(
        [
            *("--model", str(folder / "exp"), "--mixture", paths(folder, "mix.wav"), "--device", "cpu"),
            *("--enrollment", paths(folder, "me.wav", "me_again.wav"), "--output", paths(folder, "out.flac")),
            *("--sample_format", "int24", "--normalize_output", "peak"),
        ]
    )
    info = soundfile.info(folder / "out.flac")
    assert (info.frames, info.samplerate, info.subtype) == (32000, 16000, "PCM_24")
    assert np.abs(soundfile.read(folder / "out.flac")[0]).max() == pytest.approx(0.9, abs=1e-3)
    assert capsys.readouterr().out == f"{folder}/out.flac: 2.00 s, presence unknown\n"


def test_a_list_with_a_failure_ends_with_status_1_and_one_line_a_fault(folder):
    (folder / "jobs.tsv").write_text("mix.wav\tme.wav\ta.wav\nnone.wav\tme.wav\tb.wav\nmix.wav\tme_again.wav\tc.wav\n")
    done = subprocess.run(
        [sys.executable, "-m", "zspex_toolkit.bin.extract", "--model", "exp", "--list", "jobs.tsv", "--device", "cpu"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "a.wav: 2.00 s, presence unknown",
        "c.wav: 2.00 s, presence unknown",
        "jobs.tsv: 3 jobs in, 2 done, 1 failed",
    ]
    faults = [line for line in done.stderr.splitlines() if "resampled" not in line]
    assert faults[1:] == ["jobs.tsv:2: none.wav: no such file or directory", "extract: 1 of 3 jobs failed: jobs.tsv:2"]
    assert (folder / "a.wav").exists() and not (folder / "b.wav").exists() and (folder / "c.wav").exists()


def test_a_gpu_that_is_not_there_is_one_line_and_nothing_is_written(folder):
    with pytest.raises(UserError, match="device: 'cuda:99' is not there, this machine has"):
        main(
            [
                *("--model", str(folder / "exp"), "--mixture", paths(folder, "mix.wav"), "--device", "cuda:99"),
                *("--enrollment", paths(folder, "me.wav"), "--output", paths(folder, "out.wav")),
            ]
        )
    assert not (folder / "out.wav").exists()


def test_a_packed_model_extracts_too(folder):
    pack_model(["--model", str(folder / "exp"), "--out", str(folder / "packed"), "--storage", "int8"])
    for model in ("exp", "packed"):
        arguments = ["--mixture", paths(folder, "mix.wav"), "--enrollment", paths(folder, "me.wav"), "--device", "cpu"]
        main(["--model", str(folder / model), "--output", paths(folder, f"{model}.wav"), *arguments])
    full, small = (soundfile.read(folder / f"{model}.wav")[0] for model in ("exp", "packed"))
    assert np.corrcoef(full, small)[0, 1] > 0.99


def test_trials_are_extracted_and_the_presence_score_fitted_to_them(folder, capsys):
    rng = np.random.default_rng(1)
    wavs, utt2spk, tables = {}, {}, {"enroll_spk1.scp": {}, "utt2condition": {}}
    for index in range(10):
        trial = f"ann-{index}"
        soundfile.write(folder / f"{trial}.wav", 0.1 * rng.normal(size=4000), 8000)
        wavs[trial], utt2spk[trial] = str(folder / f"{trial}.wav"), "ann"
        tables["enroll_spk1.scp"][trial] = str(folder / "ann-0.wav")
        tables["utt2condition"][trial] = "present" if index < 5 else "absent"
    write_data_dir(folder / "trials_dev", wavs=wavs, utt2spk=utt2spk)
    for name, table in tables.items():
        write_table(folder / "trials_dev" / name, table)
    given = ["--model", str(folder / "exp"), "--data", str(folder / "trials_dev"), "--device", "cpu"]
    calibrate_presence(given)
    extract_trials([*given, "--out", str(folder / "out")])
    assert "presence score fitted to 10 trials" in capsys.readouterr().out
    scores = [line.split() for line in (folder / "out" / "presence").read_text().splitlines()]
    assert [trial for trial, _ in scores] == sorted(wavs) and all(0 < float(score) < 1 for _, score in scores)
