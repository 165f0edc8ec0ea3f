"""Tests of the command render_trials."""

from zspex_toolkit.bin import plan_trials
from zspex_toolkit.bin.render_trials import main
from zspex_toolkit.io.table import read_table


def test_the_folder_of_the_plan_becomes_a_trial_directory(voices, tmp_path):
    source = str(voices / "data" / "test")
    plan_trials.main(["--data", source, "--out", str(tmp_path / "trials"), "--max_seconds", "0.5"])
    main(
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
