"""The command as a user types it."""

import numpy as np

from zspex_toolkit.bin.demix import main
from zspex_toolkit.io.data_dir import DataDir


def test_it_writes_the_embedding_and_ranks_speakers(experiment, voices, tmp_path, capsys):
    mixtures, clean = (DataDir.load(voices / "data" / name) for name in ("mix_test_snr0", "train"))
    main(
        [
            *("--model", str(experiment / "demix_e2_snr0_concat2"), "--mixture", next(iter(mixtures.wavs.values()))),
            *(
                "--known",
                ",".join(list(clean.wavs.values())[:2]),
                "--output",
                str(tmp_path / "e.npy"),
                "--device",
                "cpu",
            ),
            *("--identify", str(experiment / "clean" / "spk_xvector.scp"), "--top", "2"),
        ]
    )
    assert np.load(tmp_path / "e.npy", allow_pickle=False).shape == (12,)
    ranked = [line.split("\t") for line in capsys.readouterr().out.splitlines()[1:]]
    assert [rank for rank, _, _ in ranked] == ["1", "2"] and float(ranked[0][2]) >= float(ranked[1][2])
