"""The command as a user types it: the model tells presence afterwards."""

from zspex_toolkit.bin.calibrate_presence import main
from zspex_toolkit.tasks.extraction import read_extractor_spec


def test_the_score_is_fitted_and_stands_in_the_model(extraction, trial_dir, capsys):
    assert read_extractor_spec(extraction / "exp").presence is None
    main(["--model", str(extraction / "exp"), "--data", str(trial_dir), "--device", "cpu"])
    assert "presence score fitted to 10 trials" in capsys.readouterr().out
    assert set(read_extractor_spec(extraction / "exp").presence) >= {"bias", "energy_db", "cosine"}
    assert (extraction / "exp" / "extracted" / "dev" / "wav.scp").exists()
