"""The command trains one network for each function it is given."""

from zspex_toolkit.bin.train_demixers import main
from zspex_toolkit.tasks.demixing import load_network


def test_each_function_gets_its_folder(experiment, tmp_path):
    main(
        [
            *("--data", str(experiment.parent / "data" / "mix_train_snr0"), "--exp_dir", str(tmp_path / "c")),
            *("--embedder", str(experiment / "embedder"), "--device", "cpu", "--demixers", "subtract,share_concat"),
            *(
                "--clean_speakers",
                str(experiment / "clean" / "spk_xvector.scp"),
                "--demixer_options.relu_output",
                "true",
            ),
            *("--segment_frames", "40", "--train.num_epochs", "1", "--train.batch_size", "8"),
        ]
    )
    assert load_network(tmp_path / "c_subtract")[0].demixer_options == {}
    spec, network = load_network(tmp_path / "c_share_concat")
    assert spec.demixer_options == {"relu_output": True} and network.demixer.relu_output
