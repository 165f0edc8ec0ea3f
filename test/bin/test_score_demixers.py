"""The command scores networks on sets of mixtures."""

import json

from zspex_toolkit.bin.score_demixers import main


def test_scores_lie_beside_the_network(experiment, voices, capsys):
    model, data = experiment / "demix_e2_snr0_concat2", voices / "data"
    main(
        [
            *("--models", str(model), "--classifier", str(experiment / "classifier"), "--device", "cpu"),
            *("--clean_speakers", str(experiment / "clean" / "spk_xvector.scp"), "--shuffle_known", "false"),
            *("--train_data", str(data / "mix_train_snr0"), "--test_data", str(data / "mix_test_snr0")),
        ]
    )
    rows = json.loads((model / "scores.json").read_text())
    assert [(row["function"], row["given"], row["set"]) for row in rows] == [
        ("concat2", "e2", "train"),
        ("concat2", "e2", "test"),
    ]
    assert "concat2, given e2, snr0, test:" in capsys.readouterr().out
