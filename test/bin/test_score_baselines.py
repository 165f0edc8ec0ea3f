"""The command scores what de-mixing is compared with."""

import json

from zspex_toolkit.bin.score_baselines import main


def test_before_clean_and_the_oracle_are_scored_for_each_set(experiment, voices, tmp_path):
    data = voices / "data"
    main(
        [
            *("--embedder", str(experiment / "embedder"), "--classifier", str(experiment / "classifier")),
            *("--clean_speakers", str(experiment / "clean" / "spk_xvector.scp"), "--given", "e2", "--device", "cpu"),
            *("--train_data", str(data / "mix_train_snr0"), "--test_data", str(data / "mix_test_snr0")),
            *("--clean_train_data", str(data / "train"), "--clean_test_data", str(data / "test")),
            *("--out", str(tmp_path / "baseline")),
        ]
    )
    rows = json.loads((tmp_path / "baseline" / "snr0" / "scores.json").read_text())
    kinds = [("before", None), ("clean", None)]
    assert [(row["function"], row.get("control")) for row in rows] == [*kinds, *kinds, ("clean", "oracle")]
