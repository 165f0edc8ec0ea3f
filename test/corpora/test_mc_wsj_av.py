"""MC-WSJ-AV: two speakers at once, a file for each microphone, found by name."""

import pytest

from zspex_toolkit.corpora import mc_wsj_av
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir


@pytest.fixture
def tree(fake_tree_of):
    return fake_tree_of("mc_wsj_av")


def load(out, name):
    return DataDir.load(out / name)


def test_the_name_of_the_published_example_is_understood():
    name = mc_wsj_av.OVERLAPPING.fullmatch("AMI_WSJ_OLAP_17_18-Headset2_T3c020w_T2c0207.wav")
    expected = {"spk1": "17", "spk2": "18", "microphone": "Headset2", "prompt1": "T3c020w", "prompt2": "T2c0207"}
    assert name.groupdict() == expected
    assert mc_wsj_av.OVERLAPPING.fullmatch("ami_wsj_olap_17_18-array1-8_t3c020w_t2c0207.WAV")
    assert mc_wsj_av.STATIONARY.fullmatch("AMI_WSJ17-Array2-4_T7c0210.wav")


def test_a_recording_is_two_headset_utterances_and_one_mixture_per_array_microphone(tree, tmp_path):
    mc_wsj_av.prepare(tree, tmp_path, num_test_per_pair=2)
    headset, array1, array2 = (load(tmp_path, f"{name}_train") for name in ("headset", "array1", "array2"))
    recording = next(utt.partition("-")[2] for utt in array1.utterances if utt.startswith("17-"))
    assert headset.utt2spk[f"17-{recording}"] == "17"
    assert headset.utt2spk[f"18-{recording}"] == "18"
    assert "-Headset1_" in headset.wavs[f"17-{recording}"]
    assert "-Headset2_" in headset.wavs[f"18-{recording}"]
    assert "-Array1-1_" in array1.wavs[f"17-{recording}"]
    assert "-Array1-2_" in array2.wavs[f"17-{recording}"]
    assert array1.table("utt2spk2")[f"17-{recording}"] == "18"
    assert array1.table("spk1.scp")[f"17-{recording}"] == headset.wavs[f"17-{recording}"]
    assert array1.table("spk2.scp")[f"17-{recording}"] == headset.wavs[f"18-{recording}"]


def test_the_test_set_is_so_many_recordings_of_each_pair_and_the_same_for_all_microphones(tree, tmp_path):
    mc_wsj_av.prepare(tree, tmp_path, num_test_per_pair=3)
    sizes = {name: len(load(tmp_path, name).utterances) for name in ("headset_test", "array1_test", "array1_train")}
    assert sizes == {"headset_test": 4 * 3 * 2, "array1_test": 4 * 3, "array1_train": 4 * 5}
    assert load(tmp_path, "array1_test").utterances == load(tmp_path, "array2_test").utterances
    assert set(load(tmp_path, "array1_test").utterances) < set(load(tmp_path, "headset_test").utterances)
    assert not set(load(tmp_path, "headset_test").utterances) & set(load(tmp_path, "headset_train").utterances)


def test_another_seed_draws_other_test_recordings(tree, tmp_path):
    mc_wsj_av.prepare(tree, tmp_path / "0", num_test_per_pair=3)
    mc_wsj_av.prepare(tree, tmp_path / "1", num_test_per_pair=3, seed=1)
    assert load(tmp_path / "0", "array1_test").utterances != load(tmp_path / "1", "array1_test").utterances


def test_a_pair_with_few_recordings_gives_a_quarter_and_says_so(tree, tmp_path, capsys):
    mc_wsj_av.prepare(tree, tmp_path)
    line = "mc_wsj_av: pair 17_18 has 8 recordings only: 2 of them are the test set"
    assert line in capsys.readouterr().out.splitlines()


def test_other_files_are_counted_and_one_of_them_named(tree, tmp_path, capsys):
    mc_wsj_av.prepare(tree, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert (
        "mc_wsj_av: overlapping files by microphone: array1-1 32, array1-2 32, array2-1 32, "
        + ("headset1 32, headset2 32, lapel1 32")
        in lines
    )
    stationary = "audio/stat/T7/5k/AMI_WSJ17-Array2-4_T7c0210.wav"
    assert f"mc_wsj_av: ignored 2 files of the stationary part (first: {stationary})" in lines
    stray = "audio/stat/T7/5k/calibration.wav"
    assert f"mc_wsj_av: ignored 1 files with names that fit neither pattern (first: {stray})" in lines


def test_other_microphones_can_be_chosen(tree, tmp_path):
    mc_wsj_av.prepare(tree, tmp_path, m2="Array2-1")
    assert all("-Array2-1_" in wav for wav in load(tmp_path, "array2_train").wavs.values())


def test_a_microphone_that_is_nowhere_is_named(tree, tmp_path):
    with pytest.raises(DataDirError, match=r"dropped 32 \(no array3-1 file: 32\): nothing is left of"):
        mc_wsj_av.prepare(tree, tmp_path / "data", m1="Array3-1")
    assert not (tmp_path / "data").exists()


def test_a_recording_that_lacks_a_file_or_has_a_broken_one_is_dropped_everywhere(root, tmp_path, capsys):
    one = next(root.rglob("AMI_WSJ_OLAP_17_18-Headset2_*"))
    one.unlink()
    mc_wsj_av.prepare(root, tmp_path / "data")
    assert "mc_wsj_av: in 32, kept 31, dropped 1 (no headset2 file: 1)" in capsys.readouterr().out
    recording = "17_18_" + one.stem.partition("Headset2_")[2].lower()
    assert (tmp_path / "data" / "dropped.txt").read_text() == f"{recording} no headset2 file\n"
    other = next(root.rglob("AMI_WSJ_OLAP_21_22-Array1-2_*"))
    other.write_bytes(b"noise")
    with pytest.raises(DataDirError, match=r"array1-2: unreadable audio: 1, no headset2 file: 1.*more than the 5 %"):
        mc_wsj_av.prepare(root, tmp_path / "data")
    mc_wsj_av.prepare(root, tmp_path / "data", max_fault_share=0.1)
    assert "mc_wsj_av: in 32, kept 30, dropped 2" in capsys.readouterr().out


def test_depth_and_letter_case_do_not_matter(root, tree, tmp_path):
    for path in list(root.rglob("*Headset1*")):
        path.rename(root / path.name.lower())
    mc_wsj_av.prepare(root, tmp_path / "moved")
    mc_wsj_av.prepare(tree, tmp_path / "straight")
    for name in ("headset_train", "array1_test"):
        assert load(tmp_path / "moved", name).utt2spk == load(tmp_path / "straight", name).utt2spk


def test_a_test_set_of_nothing_is_refused(tree, tmp_path):
    with pytest.raises(ConfigError, match="expected num_test_per_pair of 1 or more, got 0"):
        mc_wsj_av.prepare(tree, tmp_path, num_test_per_pair=0)
