"""A packed data directory: the same samples and tables, in few files."""

import itertools
import json
import os
import shutil

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import AudioError, ConfigError, DataDirError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import check_data_dir
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.pack_audio import IndexConfig, PackConfig, index_shards, pack_audio


@pytest.fixture
def data(tmp_path, noise):
    """Audio of every kind: WAV, FLAC, SPHERE, 24 bits, floating point, a pipe."""
    folder = tmp_path / "audio"
    write_audio(folder / "a.wav", noise(800, 1), 16000)
    write_audio(folder / "b.flac", noise(900, 2), 16000)
    soundfile.write(folder / "c.sph", np.rint(noise(700, 3) * 32768).astype(np.int16), 16000, format="NIST")
    fine = np.random.default_rng(4).uniform(-0.5, 0.5, 600)
    soundfile.write(folder / "d.wav", fine, 16000, subtype="PCM_24")
    soundfile.write(folder / "e.wav", 3 * fine, 16000, subtype="FLOAT")
    wavs = {f"ann-{number}": str(path) for number, path in enumerate(sorted(folder.iterdir()))}
    wavs["bob-1"] = f"cat {folder}/b.flac |"
    write_data_dir(
        tmp_path / "data",
        wavs=wavs,
        utt2spk={utt: utt[:3] for utt in wavs},
        text=dict.fromkeys(wavs, "HELLO"),
        tables={"feats.scp": dict.fromkeys(wavs, "f.ark:1")},
    )
    return tmp_path / "data"


@pytest.mark.parametrize("format", ["ark", "tar"])
def test_samples_are_the_same_to_the_last_bit_and_files_few(data, tmp_path, format):
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump", format=format, per_shard=4, nj=2))
    before, after = DataDir.load(data), DataDir.load(tmp_path / "out")
    assert after.utterances == before.utterances
    for utt in before.utterances:
        (expected, fs), (found, fs_found) = before.read_audio(utt), after.read_audio(utt)
        assert np.array_equal(found, expected) and fs == fs_found
    shards = sorted((tmp_path / "dump").glob(f"*.{format}"))
    assert {wav.rpartition(":")[0] for wav in after.wavs.values()} == set(map(str, shards)) and len(shards) == 2
    assert not check_data_dir(tmp_path / "out", check_audio=True).faults


def test_all_other_tables_stay_and_the_options_of_the_features(data, tmp_path):
    (data / "conf").mkdir()
    (data / "conf" / "mfcc.conf").write_text("--num-ceps=20\n")
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump"))
    for name in ("utt2spk", "spk2utt", "text", "feats.scp", "conf/mfcc.conf"):
        assert (tmp_path / "out" / name).read_bytes() == (data / name).read_bytes()


def test_segments_keep_pointing_into_their_recording(tmp_path, noise):
    write_audio(tmp_path / "a.wav", noise(16000), 16000)
    segments = {"ann-1": ("tape", 0, 0.5), "ann-2": ("tape", 0.5, 1)}
    write_data_dir(
        tmp_path / "data",
        wavs={"tape": str(tmp_path / "a.wav")},
        utt2spk=dict.fromkeys(segments, "ann"),
        segments=segments,
    )
    pack_audio(PackConfig(tmp_path / "data", tmp_path / "out", tmp_path / "dump"))
    assert np.array_equal(DataDir.load(tmp_path / "out").read_audio("ann-2")[0], noise(16000)[8000:])


def test_of_trials_every_audio_table_is_packed_and_shared_audio_once(tmp_path, noise):
    for name in ("mix", "one", "two", "enroll"):
        write_audio(tmp_path / f"{name}.wav", noise(800, len(name)), 16000)
    path = {name: str(tmp_path / f"{name}.wav") for name in ("mix", "one", "two", "enroll")}
    write_data_dir(
        tmp_path / "data",
        wavs={"ann-m": path["mix"], "bob-m": path["mix"]},
        utt2spk={"ann-m": "ann", "bob-m": "bob"},
        tables={
            "spk1.scp": {"ann-m": path["one"], "bob-m": path["two"]},
            "enroll_spk1.scp": {"ann-m": path["enroll"], "bob-m": "*ann-m bob"},
        },
    )
    pack_audio(PackConfig(tmp_path / "data", tmp_path / "out", tmp_path / "dump"))
    wavs = read_table(tmp_path / "out" / "wav.scp")
    (shard,) = (tmp_path / "dump").glob("wav.1.*.ark")
    assert wavs["ann-m"] == wavs["bob-m"] == f"{shard}:6"
    assert np.array_equal(read_audio(read_table(tmp_path / "out" / "spk1.scp")["bob-m"])[0], noise(800, 3))
    enroll = read_table(tmp_path / "out" / "enroll_spk1.scp")
    assert np.array_equal(read_audio(enroll["ann-m"])[0], noise(800, 6)) and enroll["bob-m"] == "*ann-m bob"


def test_what_is_there_is_kept_and_what_is_missing_or_cut_off_made(data, tmp_path, capsys):
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump", per_shard=2))
    wavs = read_table(tmp_path / "out" / "wav.scp")
    shards = sorted((tmp_path / "dump").glob("wav.[123].*.ark"))
    kept = shards[0].stat().st_mtime_ns
    contents = [shard.read_bytes() for shard in shards]
    shards[1].unlink()
    os.truncate(shards[2], 100)
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump", per_shard=2))
    assert "6 recordings in, 6 files in 3 shards, 2 made, 1 already there, 0 dropped" in capsys.readouterr().out
    assert shards[0].stat().st_mtime_ns == kept and [shard.read_bytes() for shard in shards] == contents
    assert read_table(tmp_path / "out" / "wav.scp") == wavs


def test_a_shard_of_other_sources_is_made_anew_and_one_too_many_goes(data, tmp_path, noise):
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump", per_shard=2))
    write_audio(tmp_path / "new.wav", noise(100, 9), 16000)
    shutil.rmtree(data)
    write_data_dir(data, wavs={"cid-1": str(tmp_path / "new.wav")}, utt2spk={"cid-1": "cid"})
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump", per_shard=2))
    place = DataDir.load(tmp_path / "out").wavs["cid-1"]
    assert np.array_equal(read_audio(place)[0], noise(100, 9))
    shard = os.path.basename(place.rpartition(":")[0])
    assert sorted(os.listdir(tmp_path / "dump")) == ["packed.json", shard, shard.replace(".ark", ".json")]


def all_samples(data) -> dict:
    directory = DataDir.load(data)
    return {utt: directory.read_audio(utt)[0].tobytes() for utt in directory.utterances}


def test_the_folder_of_another_directory_is_refused_and_its_audio_stays(data, tmp_path):
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump"))
    expected = all_samples(tmp_path / "out")
    shutil.copytree(data, tmp_path / "dev")
    for other, out in (("dev", "dev_out"), ("data", "second_out"), ("dev", "out")):
        with pytest.raises(ConfigError) as error:
            pack_audio(PackConfig(tmp_path / other, tmp_path / out, tmp_path / "dump", per_shard=2))
        assert str(error.value) == (
            f"dump: {tmp_path}/dump/packed.json: expected shards of {tmp_path}/{other} for {tmp_path}/{out}, found"
            f" those of {data} for {tmp_path}/out; give each directory a folder of its own, or delete this one first"
        )
    assert all_samples(tmp_path / "out") == expected and not (tmp_path / "dev_out").exists()


def test_a_folder_that_was_claimed_but_holds_no_shard_yet_can_be_taken(data, tmp_path):
    (tmp_path / "audio" / "a.wav").rename(tmp_path / "audio" / "away.wav")
    with pytest.raises(AudioError):
        pack_audio(PackConfig(data, tmp_path / "mistyped", tmp_path / "dump"))
    (tmp_path / "audio" / "away.wav").rename(tmp_path / "audio" / "a.wav")
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump"))
    assert all_samples(tmp_path / "out") == all_samples(data)


def test_a_note_that_packing_did_not_write_is_refused(data, tmp_path):
    (tmp_path / "dump").mkdir()
    for text in ("{", "[]", '{"made_by": "pack_audio"}'):
        (tmp_path / "dump" / "packed.json").write_text(text)
        with pytest.raises(
            ConfigError, match=r"packed\.json: expected data, out and shards of .*; give another folder"
        ):
            pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump"))


def test_files_of_others_in_the_folder_stay(data, tmp_path):
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump"))
    for name in ("feats.ark", "feats.json", "wav.9.tar"):
        (tmp_path / "dump" / name).write_text("precious")
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump", format="tar"))
    for name in ("feats.ark", "feats.json", "wav.9.tar"):
        assert (tmp_path / "dump" / name).read_text() == "precious"
    assert len(json.loads((tmp_path / "dump" / "packed.json").read_text())["shards"]) == 1


PACK = """
from pathlib import Path
from zspex_toolkit.prepare.pack_audio import PackConfig, pack_audio
*paths, format, per_shard = sys.argv[1:]
pack_audio(PackConfig(*map(Path, paths), format=format, per_shard=int(per_shard)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("format", "per_shard"), [("tar", 4), ("ark", 2)])
def test_killed_at_any_renaming_of_a_new_packing_the_directory_stays_readable(
    data, tmp_path, killed_at_renaming, format, per_shard
):
    expected = all_samples(data)
    whole = ("whole", "whole_dump", format, per_shard)
    killed_at_renaming(0, PACK, data, *(tmp_path / name for name in whole[:2]), *whole[2:])
    for number in itertools.count(1):
        out, dump = tmp_path / f"out{number}", tmp_path / f"dump{number}"
        pack_audio(PackConfig(data, out, dump, format="ark", per_shard=4))
        killed = killed_at_renaming(number, PACK, data, out, dump, format, per_shard)
        assert all_samples(out) == expected
        if not killed:
            break
        killed_at_renaming(0, PACK, data, out, dump, format, per_shard)
        assert all_samples(out) == expected
        assert sorted(os.listdir(dump)) == sorted(os.listdir(tmp_path / "whole_dump"))
    assert number > 10


def test_what_a_killed_packing_left_half_written_goes_with_the_next_of_another_format(
    data, tmp_path, killed_at_renaming
):
    paths = data, tmp_path / "out", tmp_path / "dump"
    assert killed_at_renaming(2, PACK, *paths, "tar", 4)  # the first is that of packed.json
    assert [path.suffix for path in (tmp_path / "dump").glob(".*")] == [".tar"]
    killed_at_renaming(0, PACK, *paths, "ark", 10)
    assert [path.suffix for path in sorted((tmp_path / "dump").glob("*"))] == [".json", ".ark", ".json"]


def test_broken_audio_is_named_and_no_directory_written(data, tmp_path):
    (tmp_path / "audio" / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"ann-0: .*a\.wav: not readable as audio"):
        pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump"))
    assert not (tmp_path / "out").exists() and not list((tmp_path / "dump").glob("*.ark"))


def test_settings_that_make_no_sense_are_refused(data, tmp_path):
    for options, message in (
        ({"format": "zip"}, "format: expected one of ark, tar, got 'zip'"),
        ({"per_shard": 0}, "per_shard: expected 1 recording or more, got 0"),
        ({"out": data}, "out: expected another place than the input"),
    ):
        with pytest.raises(ConfigError, match=message):
            pack_audio(PackConfig(**{"data": data, "out": tmp_path / "out", "dump": tmp_path / "dump", **options}))


def test_shards_that_others_made_are_refused_and_kept(data, tmp_path):
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "train.tar").write_bytes(b"precious")
    with pytest.raises(ConfigError, match=r"dump holds other shards, such as train\.tar; give another folder"):
        pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump"))
    assert (tmp_path / "dump" / "train.tar").read_bytes() == b"precious"


def test_the_index_of_tars_is_the_table_that_packing_wrote(data, tmp_path):
    pack_audio(PackConfig(data, tmp_path / "out", tmp_path / "dump", format="tar", per_shard=2))
    index_shards(IndexConfig(sorted((tmp_path / "dump").glob("*.tar")), tmp_path / "index" / "wav.scp", nj=2))
    assert (tmp_path / "index" / "wav.scp").read_bytes() == (tmp_path / "out" / "wav.scp").read_bytes()


def test_a_name_in_two_tars_is_refused_with_both(data, tmp_path):
    for name in ("one", "two"):
        pack_audio(PackConfig(data, tmp_path / "out", tmp_path / name, format="tar"))
    with pytest.raises(DataDirError, match=r"two/wav\.1\..*\.tar: 'ann-0' is in .*one/wav\.1\..*\.tar, too"):
        index_shards(IndexConfig(sorted(tmp_path.glob("[ot]*/wav.1.*.tar")), tmp_path / "wav.scp"))
    with pytest.raises(DataDirError, match="expected audio in shards, found none"):
        index_shards(IndexConfig([], tmp_path / "wav.scp"))
