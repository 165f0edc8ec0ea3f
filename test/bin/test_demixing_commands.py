"""The commands of a de-mixing recipe take options and YAML as a user types them; what they compute is tested below."""

import pytest

from zspex_toolkit.registry import load_module

SETTINGS = "network_options: {channels: 8, pooled_channels: 8, embedding_dim: 6}\ntrain: {num_epochs: 3, batch_size: 8}"
JUDGES = "--classifier EXP/classifier --clean_speakers EXP/clean/spk_xvector.scp"
MIXTURES = "--train_data DATA/mix_train_snr0 --test_data DATA/mix_test_snr0"
EMBEDDER = "--embedder EXP/embedder --clean_speakers EXP/clean/spk_xvector.scp"
ONE_EPOCH = "--train.num_epochs 1 --train.batch_size 8"


@pytest.mark.parametrize(
    ("command", "options", "told"),
    [
        ("train_embedder", "--config OUT/a.yaml --data DATA/train --exp_dir OUT/e --train.num_epochs 1", "epoch 1/1;"),
        ("extract_embeddings", "--model EXP/embedder --data DATA/test --out OUT/x", "as 12 vectors in OUT/x\n"),
        (
            "average_embeddings",
            "--model EXP/embedder --data DATA/train --out OUT/s --num_segments 3",
            "4 speakers, mean of 3 segments each, in OUT/s\n",
        ),
        ("train_classifier", f"--data EXP/xvectors --exp_dir OUT/b {ONE_EPOCH}", "epoch 1/1; train loss"),
        (
            "train_demixers",
            f"--data DATA/mix_train_snr0 {EMBEDDER} --demixers multiply --exp_dir OUT/c {ONE_EPOCH}",
            "24 training items",
        ),
        (
            "score_demixers",
            f"--models EXP/demix_e2_snr0_concat2 {JUDGES} {MIXTURES} --shuffle_known false",
            "concat2, given e2, snr0, test:",
        ),
        (
            "score_baselines",
            f"--embedder EXP/embedder {JUDGES} {MIXTURES} --given e2 --out OUT/baseline "
            "--clean_train_data DATA/train --clean_test_data DATA/test",
            "OUT/baseline/snr0/scores.json: clean (oracle), given e2, snr0, test:",
        ),
        (
            "demix",
            "--model EXP/demix_e2_snr0_concat2 --mixture WAV/anna-06.wav --known WAV/bert-00.wav,WAV/bert-01.wav "
            "--output OUT/e.npy --identify EXP/clean/spk_xvector.scp --top 2",
            "12 numbers, is in OUT/e.npy\n1\t",
        ),
    ],
)
def test_options_reach_the_command(voices, experiment, tmp_path, capsys, command, options, told):
    (tmp_path / "a.yaml").write_text(SETTINGS)
    for name, path in {"EXP": experiment, "DATA": voices / "data", "WAV": voices / "audio", "OUT": tmp_path}.items():
        options, told = options.replace(name, str(path)), told.replace(name, str(path))
    load_module("bin", command).main([*options.split(), "--device", "cpu"])
    output = capsys.readouterr()
    assert told in output.out + output.err
