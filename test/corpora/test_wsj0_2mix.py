"""wsj0-2mix: the lists decide who is where; SPHERE files at any depth."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from zspex_toolkit.corpora import wsj0_2mix
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.data_dir import DataDir


def prepare_test(root, work, **options) -> DataDir:
    return DataDir.load(wsj0_2mix.prepare_trials(root, work / "data", work / "dump", sets=("test",), **options)[0])


def test_train_dev_and_test_hold_the_utterances_of_their_lists(root, tmp_path, capsys):
    train, dev, test = map(DataDir.load, wsj0_2mix.prepare(root, tmp_path / "data"))
    assert sorted(train.spk2utt) == ["011", "01a", "01t", "206", "20a", "401"] == sorted(dev.spk2utt)
    assert sorted(test.spk2utt) == ["050", "053", "22g", "440", "443", "447"]
    assert test.wavs["050-050a0100"] == f"{root}/wsj0/si_dt_05/050/050a0100.wv1"
    assert (train.table("spk2gender")["011"], train.table("spk2gender")["01a"]) == ("m", "f")
    assert not set(train.utterances) & set(dev.utterances)
    out = capsys.readouterr().out
    assert "wsj0_2mix: in 66, kept 66, dropped 0\n" in out
    assert "wsj0_2mix: warning: 6 training speakers; the whole corpus has 101\n" in out


def test_an_utterance_mixed_in_dev_is_left_out_of_train(root, tmp_path):
    path = root / "lists/mix_2_spk_tr_extr.txt"
    first = path.read_text().splitlines()[0].split()
    first[0] = "wsj0/si_tr_s/011/011c0105.wv1"  # of the first mixture of dev
    path.write_text(path.read_text() + " ".join(first) + "\n")
    train = DataDir.load(wsj0_2mix.prepare(root, tmp_path / "data")[0])
    assert "011-011c0105" not in train.utterances
    assert (tmp_path / "data/dropped.txt").read_text() == "011-011c0105 of train, mixed in dev or test\n"


def test_trials_are_named_as_in_spex_plus_s_lists_behind_the_target(root, tmp_path):
    first = (root / "lists/mix_2_spk_tt_extr.txt").read_text().splitlines()[0].split()
    snr = first[1]
    data = prepare_test(root, tmp_path)
    key = f"050-050a0100_{snr}_053c0101_-{snr}_050c0103"
    assert key in data.utterances
    assert data.wavs[key] == f"{tmp_path}/dump/wav8k/min/tt/mix/050a0100_{snr}_053c0101_-{snr}.wav"
    assert data.table("enroll_spk1.scp")[key] == f"{tmp_path}/dump/wav8k/min/tt/aux/050c0103.wav"
    assert data.table("utt2spk2")[key] == "053"


def test_a_list_without_enrollments_gets_some_drawn_with_the_seed(root, tmp_path):
    path = root / "lists/mix_2_spk_tt_extr.txt"
    lines = {" ".join(line.split()[:4]) for line in path.read_text().splitlines()}
    path.unlink()
    (root / "lists/mix_2_spk_tt.txt").write_text("".join(f"{line}\n" for line in sorted(lines)))
    data = prepare_test(root, tmp_path)
    assert len(data.utterances) == 2 * len(lines)
    for trial in data.utterances:
        utterances, enrollment = trial.partition("-")[2].split("_")[0:4:2], trial.rpartition("_")[2]
        assert enrollment[:3] == data.utt2spk[trial]
        assert enrollment not in utterances
    assert prepare_test(root, tmp_path / "b").utterances == data.utterances
    assert prepare_test(root, tmp_path / "c", seed=1).utterances != data.utterances


def test_an_enrollment_with_the_target_utterance_is_declared(root, tmp_path):
    path = root / "lists/mix_2_spk_tt_extr.txt"
    lines = path.read_text().splitlines()
    fields = lines[0].split()
    path.write_text("\n".join([" ".join([*fields[:4], fields[0]]), *lines[1:]]) + "\n")
    data = prepare_test(root, tmp_path)
    (leak,) = data.table("enroll_is_target")
    assert leak.endswith("_050a0100")


def test_wav_copies_at_any_depth_serve_as_well(root, tmp_path):
    expected = prepare_test(root, tmp_path)
    for path in list((root / "wsj0").rglob("*.wv1")):
        target = root / "11-1.1/WSJ0" / path.relative_to(root / "wsj0").with_suffix(".wav")
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, *soundfile.read(path, dtype="int16"))
        path.unlink()
    found = prepare_test(root, tmp_path / "again")
    assert found.utterances == expected.utterances
    for trial in found.utterances:
        assert np.array_equal(read_audio(found.wavs[trial])[0], read_audio(expected.wavs[trial])[0])


def test_given_active_levels_are_used(root, tmp_path):
    """One level for all leaves the utterances as loud as they are, but for the listed values."""
    lines = [line.split() for line in (root / "lists/mix_2_spk_tt_extr.txt").read_text().splitlines()]
    names = {Path(line[number]).stem for line in lines for number in (0, 2)}
    (tmp_path / "activlev_tt.txt").write_text("".join(f"{name} 0.01\n" for name in sorted(names)))
    data = prepare_test(root, tmp_path, levels_dir=str(tmp_path))
    one, snr, two, _, enrollment = (Path(field).stem if "/" in field else field for field in lines[0])
    trial = f"{one[:3]}-{one}_{snr}_{two}_-{snr}_{enrollment}"
    mixed = [read_audio(data.table(name)[trial])[0] for name in ("spk1.scp", "spk2.scp")]
    raw = [resample_poly(read_audio(root / lines[0][number])[0], 1, 2)[: len(mixed[0])] for number in (0, 2)]
    expected = np.std(raw[0]) / np.std(raw[1]) * 10 ** (2 * float(snr) / 20)
    assert np.std(mixed[0]) / np.std(mixed[1]) == pytest.approx(expected, rel=1e-3)


def test_an_utterance_without_level_is_counted(root, tmp_path):
    (tmp_path / "activlev.txt").write_text("050a0100 0.01\n")
    with pytest.raises(DataDirError, match=r"^wsj0_2mix test: in 24, kept 0, dropped 24 \(no active level: 24\)"):
        prepare_test(root, tmp_path, levels_dir=str(tmp_path))


@pytest.mark.parametrize("line", ["050a0100", "050a0100 loud", "050a0100 0"])
def test_a_bad_level_is_named_with_file_and_line(root, tmp_path, line):
    (tmp_path / "activlev.txt").write_text(f"053c0101 0.01\n{line}\n")
    with pytest.raises(DataDirError) as error:
        prepare_test(root, tmp_path, levels_dir=str(tmp_path))
    assert str(error.value) == f"{tmp_path}/activlev.txt:2: expected '<utterance> <level>', got '{line}'"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "mid"}, "mode: expected min or max, got 'mid'"),
        ({"levels_dir": "nowhere"}, "no activlev*.txt in nowhere; set levels_dir to a folder of such tables"),
    ],
)
def test_an_option_of_no_use_is_named(fake_tree_of, tmp_path, options, message):
    with pytest.raises(ConfigError) as error:
        prepare_test(fake_tree_of("wsj0_2mix"), tmp_path, **options)
    assert str(error.value) == f"wsj0_2mix: {message}"
