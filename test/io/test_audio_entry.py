"""An entry of an archive or tar is read as the file that it is, wherever it lies and whatever lies around it."""

import io
import os
import tarfile

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io import audio_entry
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.audio_blocks import read_blocks, scan_audio
from zspex_toolkit.io.audio_entry import open_entry


def encoded(samples: np.ndarray, format: str, subtype: str = "PCM_16") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, 16000, format=format, subtype=subtype)
    return stream.getvalue()


def write_tar(path, files: dict[str, bytes], **options) -> dict[str, str]:
    """``{name: place}``."""
    with tarfile.open(path, "w", **options) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    with tarfile.open(path) as tar:
        return {member.name: f"{path}:{member.offset_data}" for member in tar}


@pytest.fixture
def files(noise) -> dict[str, bytes]:
    """A short one and, of more than a buffer, a long one of each format; a text between them."""
    found = {"note.json": b"{}"}
    for format in ("WAV", "FLAC", "NIST"):
        for name, count in (("short", 500), ("long", 300_000)):
            found[f"{name}.{format.lower()}"] = encoded(noise(count), format)
    return found


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_member_of_a_tar_is_the_file_that_was_put_in(tmp_path, files, noise, format):
    long_names = {f"{'folder/' * 11}{name}": content for name, content in files.items()}
    places = write_tar(tmp_path / "a.tar", long_names, format=format)
    for name, content in long_names.items():
        with open_entry(str(tmp_path / "a.tar"), int(places[name].rpartition(":")[2])) as stream:
            assert stream.read() == content
        if not name.endswith("json"):
            expected = noise(300_000 if "long" in name else 500)
            samples, fs = read_audio(places[name])
            assert np.array_equal(samples, expected) and fs == 16000
            assert np.array_equal(read_audio(places[name], start=400, stop=450)[0], expected[400:450])
            assert audio_info(places[name]).num_samples == len(expected)
            assert np.array_equal(np.concatenate(list(read_blocks(places[name])))[:, 0], expected)
            assert scan_audio(places[name]).peak == np.abs(expected).max()


def test_of_a_long_entry_only_what_is_asked_for_is_read(tmp_path, noise, monkeypatch):
    place = write_tar(tmp_path / "a.tar", {"a.wav": encoded(noise(3_000_000), "WAV")})["a.wav"]
    count = []

    class Counting(audio_entry._Part):
        def readinto(self, buffer):
            count.append(super().readinto(buffer))
            return count[-1]

    monkeypatch.setattr(audio_entry, "_Part", Counting)
    assert np.array_equal(read_audio(place, start=2_000_000, stop=2_000_010)[0], noise(3_000_000)[2_000_000:2_000_010])
    assert 0 < sum(count) < 1_500_000  # of six million bytes


def test_a_flac_in_an_archive_ends_where_it_says(tmp_path, noise):
    flac, other = encoded(noise(300_000), "FLAC"), encoded(noise(500, 1), "FLAC")
    (tmp_path / "a.ark").write_bytes(b"a " + flac + b"b " + other)
    assert np.array_equal(read_audio(f"{tmp_path}/a.ark:2")[0], noise(300_000))
    assert np.array_equal(read_audio(f"{tmp_path}/a.ark:{4 + len(flac)}")[0], noise(500, 1))


def test_a_riff_of_unknown_length_goes_on_to_the_end_of_the_archive(tmp_path, noise):
    wav = bytearray(encoded(noise(500), "WAV"))
    wav[4:8] = wav[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "a.ark").write_bytes(b"a " + wav)
    assert np.array_equal(read_audio(f"{tmp_path}/a.ark:2")[0], noise(500))


def test_an_offset_that_is_no_members_is_refused(tmp_path, files):
    place = write_tar(tmp_path / "a.tar", files)["short.wav"]
    path, _, offset = place.rpartition(":")
    for wrong in (0, int(offset) + 1, int(offset) - 512, 10**9):
        with pytest.raises(AudioError, match=rf"a\.tar:{wrong}: expected the data of a tar's member .*offset right\?"):
            read_audio(f"{path}:{wrong}")


def test_a_folder_in_a_tar_is_no_audio(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        folder = tarfile.TarInfo("clips")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    with pytest.raises(AudioError, match=r"a\.tar:512: 'clips' is no plain file"):
        read_audio(f"{tmp_path}/a.tar:512")


def test_a_tar_that_was_cut_off_names_the_member(tmp_path, files):
    place = write_tar(tmp_path / "a.tar", {"long.wav": files["long.wav"]})["long.wav"]
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:100_000])
    with pytest.raises(AudioError, match=r"cut off: expected 600044 bytes of 'long\.wav', the tar has 99488"):
        read_audio(place)


@pytest.mark.parametrize("name", ["a.ark", "a.tar"])
def test_a_missing_or_empty_archive_is_named(tmp_path, name):
    with pytest.raises(AudioError, match=rf"{name}: no such file or directory"):
        read_audio(f"{tmp_path}/{name}:512")
    (tmp_path / name).touch()
    with pytest.raises(AudioError, match=rf"{name}: empty file"):
        read_audio(f"{tmp_path}/{name}:512")


@pytest.mark.parametrize("name", ["a.ark", "a.tar", "A.TAR"])
def test_of_an_archive_nothing_but_itself_is_asked_for(tmp_path, files, monkeypatch, name):
    place = write_tar(tmp_path / name, {"a.wav": files["short.wav"]})["a.wav"]
    asked, stat = [], os.stat
    monkeypatch.setattr(os, "stat", lambda path, **options: asked.append(path) or stat(path, **options))
    assert len(read_audio(place)[0]) == 500
    assert asked == []


@pytest.mark.parametrize("name", ["a.ark:7", "a.tar:512", "take:2", "12:30.wav:1"])
def test_a_file_may_bear_the_name_of_a_place(tmp_path, noise, name):
    (tmp_path / name).write_bytes(encoded(noise(500), "WAV"))
    assert np.array_equal(read_audio(tmp_path / name)[0], noise(500))
    # Beside an archive of that name, which has no audio there, too; of another file the whole name comes first.
    (tmp_path / name.rpartition(":")[0]).write_bytes(bytes(2048))
    assert np.array_equal(read_audio(tmp_path / name)[0], noise(500))


def test_a_directory_of_tar_members_is_valid_with_its_audio(tmp_path, noise):
    from zspex_toolkit.io.validate import check_data_dir
    from zspex_toolkit.io.write import write_data_dir

    places = write_tar(tmp_path / "a.tar", {f"ann-{n}.flac": encoded(noise(8000, n), "FLAC") for n in (1, 2)})
    wavs = {name.removesuffix(".flac"): place for name, place in places.items()}
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk=dict.fromkeys(wavs, "ann"))
    assert not check_data_dir(tmp_path / "data", check_audio=True, fs=16000).faults
