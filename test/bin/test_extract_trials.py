"""The command as a user types it: a voice and a score for every trial."""

from zspex_toolkit.bin.calibrate_presence import main as calibrate_presence
from zspex_toolkit.bin.extract_trials import main
from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.table import read_table


def test_every_trial_gets_a_voice_and_a_score(extraction, trial_dir):
    given = ["--model", str(extraction / "exp"), "--data", str(trial_dir), "--device", "cpu"]
    calibrate_presence(given)
    main([*given, "--out", str(extraction / "out")])
    voices, scores = read_table(extraction / "out" / "wav.scp"), read_table(extraction / "out" / "presence")
    assert list(voices) == list(scores) == list(read_table(trial_dir / "wav.scp"))
    assert {audio_info(voice).num_samples for voice in voices.values()} == {4000}
    assert all(0 < float(score) < 1 for score in scores.values())
