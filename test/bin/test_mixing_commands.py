"""The commands that plan and render mixtures and trials, as a user types them."""

import os
import subprocess
import sys

import numpy as np
import pytest

from zspex_toolkit.bin import plan_mixtures, plan_trials, render_mixtures, render_trials
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.simulation.plan import read_plans, read_trials


def make_data(root, *speakers):
    utts = {f"{spk}-1": spk for spk in speakers}
    for number, utt in enumerate(utts):
        write_audio(root / f"{utt}.wav", 0.1 * np.sin((number + 1) * np.arange(8000)), 8000)
    write_data_dir(root / "data", wavs={utt: str(root / f"{utt}.wav") for utt in utts}, utt2spk=utts)
    return root / "data"


@pytest.fixture
def data(tmp_path):
    return make_data(tmp_path, "ada", "bob", "cy")


@pytest.fixture
def planned(tmp_path):
    """Options of render_mixtures for a plan of two mixtures."""
    data = make_data(tmp_path, "ada", "bob")
    plan_mixtures.main(["--data", str(data), "--out", str(tmp_path / "mix")])
    paths = {"data": "mix", "source_data": "data", "out": "dump"}
    return [word for name, path in paths.items() for word in (f"--{name}", str(tmp_path / path))]


def test_every_option_reaches_the_plan_of_mixtures(data, tmp_path):
    out = tmp_path / "mix"
    options = ["--snr_db", "-5,5", "--num_speakers", "3", "--mode", "max", "--speeds", "0.9,1.1", "--seed", "3"]
    plan_mixtures.main(["--data", str(data), "--out", str(out), *options, "--nj", "2"])
    plans = read_plans(out / "plan.jsonl")
    assert [len(plan.sources) for plan in plans] == [3, 3, 3]
    assert {source.speed for plan in plans for source in plan.sources} == {0.9, 1.1}
    assert all(-5 <= plan.snr_db <= 5 and plan.seed == 3 for plan in plans)


def test_a_negative_snr_is_a_value_and_not_an_option(data, tmp_path):
    plan_mixtures.main(["--data", str(data), "--out", str(tmp_path / "mix"), "--snr_db", "-5"])
    assert {plan.snr_db for plan in read_plans(tmp_path / "mix" / "plan.jsonl")} == {-5.0}


@pytest.mark.parametrize("snr_db", ["inf", ".inf", "nan", "loud"])
def test_an_snr_that_is_no_number_is_refused(data, tmp_path, snr_db):
    with pytest.raises(ConfigError, match="snr_db"):
        plan_mixtures.main(["--data", str(data), "--out", str(tmp_path / "mix"), "--snr_db", snr_db])
    assert not (tmp_path / "mix").exists()


def test_mixtures_and_their_sources_are_written(planned, tmp_path):
    render_mixtures.main([*planned, "--store_sources", "true", "--audio_format", "flac"])
    assert read_table(tmp_path / "mix" / "utt2spk") == {"ada-1_bob-1": "ada", "bob-1_ada-1": "bob"}
    assert read_table(tmp_path / "mix" / "utt2spk2") == {"ada-1_bob-1": "bob", "bob-1_ada-1": "ada"}
    assert read_table(tmp_path / "mix" / "spk2.scp")["ada-1_bob-1"] == f"{tmp_path}/dump/spk2/ada-1_bob-1.flac"


def test_a_full_disk_is_one_line_and_what_was_there_stays(planned, tmp_path):
    render_mixtures.main(planned)
    table = (tmp_path / "mix" / "wav.scp").read_bytes()
    (tmp_path / "dump" / "wav" / "ada-1_bob-1.wav").unlink()
    # A limit on file size stands for the disk: the writer meets the same kind of error.
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
        "from zspex_toolkit.bin.render_mixtures import main; from zspex_toolkit.config import run; run(main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *planned],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 1
    assert done.stderr.endswith("ada-1_bob-1.wav: cannot be written (System error.); is the disk full?\n")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "mix" / "wav.scp").read_bytes() == table
    assert [path.name for path in (tmp_path / "dump" / "wav").iterdir()] == ["bob-1_ada-1.wav"]


def test_every_option_reaches_the_plan_of_trials(voices, tmp_path):
    plan_trials.main(
        [
            *("--data", str(voices / "data" / "test"), "--out", str(tmp_path / "trials"), "--snr_db", "-3,3"),
            *("--speakers", "2", "--per_speaker", "4", "--enrollment_seconds", "0.5,1.0", "--max_seconds", "0.75"),
            *("--absent_share", "0.4", "--single_share", "0.2", "--seed", "5", "--nj", "2"),
            *("--num_speakers", "3"),
        ]
    )
    trials = read_trials(tmp_path / "trials" / "plan.jsonl")
    assert len(trials) == 8 and {trial.mixture.num_samples for trial in trials} == {12000}
    assert all(8000 <= trial.enrollment.passage.num_samples <= 16000 for trial in trials)
    ratios = [trial.mixture.snr_db for trial in trials if trial.condition != "single"]
    assert all(-3 <= ratio <= 3 for ratio in ratios) and len(set(ratios)) == len(ratios)
    assert {trial.mixture.seed for trial in trials} == {5}
    assert {len(trial.mixture.sources) for trial in trials if trial.condition != "single"} == {3}


def test_the_folder_of_the_plan_becomes_a_trial_directory(voices, tmp_path):
    source = str(voices / "data" / "test")
    plan_trials.main(["--data", source, "--out", str(tmp_path / "trials"), "--max_seconds", "0.5"])
    render_trials.main(
        [
            *("--data", str(tmp_path / "trials"), "--source_data", source, "--out", str(tmp_path / "dump")),
            *("--audio_format", "flac", "--nj", "2"),
        ]
    )
    names = {"wav.scp", "spk1.scp", "spk2.scp", "enroll_spk1.scp", "utt2spk", "utt2spk2", "spk2utt", "plan.jsonl"}
    written = {path.name for path in (tmp_path / "trials").iterdir()}
    assert written == names | {"utt2condition", "utt2mixture", "utt2num_samples"}
    assert set(read_table(tmp_path / "trials" / "utt2num_samples").values()) == {"8000"}
    assert all(path.endswith(".flac") for path in read_table(tmp_path / "trials" / "spk1.scp").values())
