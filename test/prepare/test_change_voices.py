"""A data directory of new speakers: who they are, what is kept, and what happens when a run is repeated or killed."""

import builtins

import numpy as np
import pytest

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.combine import CombineConfig, combine_data_dirs
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import check_data_dir
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.change_voices import Config, change_voices
from zspex_toolkit.signal.voice_change import voiced_pitch

FS = 16000


@pytest.fixture(autouse=True)
def _praat(request):
    if "without_praat" not in request.fixturenames:
        pytest.importorskip("parselmouth", reason="needs the extra 'voices' (praat-parselmouth)")


@pytest.fixture
def without_praat(monkeypatch):
    importing = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "parselmouth":
            raise ModuleNotFoundError(name)
        return importing(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.fixture
def data(tmp_path):
    """Two utterances each of ann and bob."""
    wavs = {}
    for spk, gender in (("ann", "f"), ("bob", "m")):
        for utt in (f"{spk}-1", f"{spk}-2"):
            wavs[utt] = str(tmp_path / f"{utt}.wav")
            write_audio(wavs[utt], synthetic_speech(spk, gender, utt, seconds=1, fs=FS, seed=0), FS)
    write_data_dir(
        tmp_path / "data",
        wavs=wavs,
        utt2spk={utt: utt[:3] for utt in wavs},
        text=dict.fromkeys(wavs, "HELLO"),
        spk2gender={"ann": "f", "bob": "m"},
        tables={"feats.scp": dict.fromkeys(wavs, "f.ark:1")},
    )
    return tmp_path / "data"


def run(data, tmp_path, name="out", **settings):
    change_voices(Config(data, tmp_path / name, tmp_path / "dump", **settings))
    return tmp_path / name


def factors_of(out) -> dict[str, np.ndarray]:
    """Formants, pitch and range of each new speaker."""
    return {spk: np.array(row.split()[1:], float) for spk, row in read_table(out / "spk2voice").items()}


def test_the_new_speakers_are_a_valid_directory_that_names_whom_they_are_made_of(data, tmp_path):
    out = run(data, tmp_path, nj=2)
    assert not check_data_dir(out, check_audio=True, fs=FS).faults
    names = {path.name for path in out.iterdir()}
    assert names == {"wav.scp", "utt2spk", "spk2utt", "text", "utt2uniq", "utt2num_samples", "spk2voice"}
    assert read_table(out / "spk2utt") == {
        f"v{number}-{spk}": f"v{number}-{spk}-1 v{number}-{spk}-2" for number in (1, 2) for spk in ("ann", "bob")
    }
    assert read_table(out / "utt2uniq")["v2-bob-1"] == "bob-1"
    assert read_table(out / "spk2voice")["v2-bob"].split()[0] == "bob"
    assert set(read_table(out / "utt2num_samples").values()) == {"16000"}


def test_they_join_the_recorded_speakers(data, tmp_path):
    out = run(data, tmp_path)
    combine_data_dirs(CombineConfig((data, out), tmp_path / "all"))
    assert len(read_table(tmp_path / "all" / "spk2utt")) == 6


def test_four_voices_go_in_four_directions_the_first_two_opposite_ones_of_body_size(data, tmp_path):
    factors = factors_of(run(data, tmp_path, num_voices=4))
    for spk in ("ann", "bob"):
        directions = [tuple(factors[f"v{number}-{spk}"][:2] > 1) for number in (1, 2, 3, 4)]
        assert set(directions[:2]) == {(False, False), (True, True)}
        assert set(directions[2:]) == {(False, True), (True, False)}


def test_factors_lie_in_their_ranges_and_differ_between_speakers(data, tmp_path):
    factors = np.array(list(factors_of(run(data, tmp_path, num_voices=4)).values()))
    for column, (lower, higher) in enumerate((((0.82, 0.9), (1.12, 1.22)), ((0.67, 0.8), (1.25, 1.5)))):
        for value in factors[:, column]:
            assert lower[0] <= value <= lower[1] or higher[0] <= value <= higher[1]
    assert ((factors[:, 2] >= 0.8) & (factors[:, 2] <= 1.25)).all()
    assert len(np.unique(factors)) == factors.size


def test_the_audio_has_the_pitch_that_the_table_tells(data, tmp_path):
    out = run(data, tmp_path)
    wavs = read_table(out / "wav.scp")
    for spk, (_, pitch, _) in factors_of(out).items():
        before, after = (
            np.median(np.concatenate([voiced_pitch(*read_audio(path)) for path in paths]))
            for paths in (
                [read_table(data / "wav.scp")[f"{spk[3:]}-{number}"] for number in (1, 2)],
                [wavs[f"{spk}-{number}"] for number in (1, 2)],
            )
        )
        assert after / before == pytest.approx(pitch, rel=0.05)


def test_a_pitch_that_would_leave_the_band_of_voices_goes_the_other_way(tmp_path):
    """A child of 400 Hz gets no voice of 500 to 600 Hz but one of 267 to 320 Hz."""
    time = np.arange(FS) / FS
    write_audio(tmp_path / "a.wav", 0.1 * sum(np.sin(2 * np.pi * 400 * k * time) for k in range(1, 6)), FS)
    write_data_dir(tmp_path / "data", wavs={"kid-1": str(tmp_path / "a.wav")}, utt2spk={"kid-1": "kid"})
    factors = factors_of(run(tmp_path / "data", tmp_path, num_voices=4))
    assert all(0.66 < pitch <= 0.8 for _, pitch, _ in factors.values())
    assert sorted(formants > 1 for formants, _, _ in factors.values()) == [False, False, True, True]


def test_the_seed_and_the_names_alone_decide_the_files(data, tmp_path, content):
    run(data, tmp_path, nj=2)
    first = content(tmp_path / "dump" / "flac")
    (tmp_path / "again").mkdir()
    change_voices(Config(data, tmp_path / "again" / "out", tmp_path / "again" / "dump"))
    assert content(tmp_path / "again" / "dump" / "flac") == first
    run(data, tmp_path, seed=1)
    assert content(tmp_path / "dump" / "flac").keys() == first.keys()
    assert all(value != first[name] for name, value in content(tmp_path / "dump" / "flac").items())


def test_silent_unvoiced_short_and_loud_utterances_are_changed_and_counted(tmp_path, noise, capsys):
    recordings = {
        "ann-hiss": noise(FS),
        "ann-loud": np.sign(np.sin(2 * np.pi * 150 / FS * np.arange(FS))) * 32767 / 32768,
        "ann-short": synthetic_speech("ann", "f", "x", seconds=0.1, fs=FS, seed=0),
        "bob-nothing": np.zeros(FS),
    }
    for utt, samples in recordings.items():
        write_audio(tmp_path / f"{utt}.wav", samples, FS)
    wavs = {utt: str(tmp_path / f"{utt}.wav") for utt in recordings}
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk={utt: utt[:3] for utt in wavs})
    out = run(tmp_path / "data", tmp_path, num_voices=1)
    changed = {utt: read_audio(path)[0] for utt, path in read_table(out / "wav.scp").items()}
    assert {utt: len(samples) for utt, samples in changed.items()} == {
        f"v1-{utt}": len(samples) for utt, samples in recordings.items()
    }
    assert np.abs(changed["v1-ann-loud"]).max() <= 1 and not changed["v1-bob-nothing"].any()
    said = capsys.readouterr().out
    assert "4 utterances of 2 speakers in, 4 of 2 new speakers out: 4 made, 0 already there, 0 dropped" in said
    assert "2 utterances without voiced speech: other formants alone" in said
    assert "1 utterances would have clipped: turned down" in said


def test_segments_become_files(data, tmp_path):
    write_data_dir(
        tmp_path / "cut",
        wavs={"tape": str(tmp_path / "ann-1.wav")},
        utt2spk={"ann-1": "ann", "ann-2": "ann"},
        segments={"ann-1": ("tape", 0, 0.4), "ann-2": ("tape", 0.5, 1)},
    )
    out = run(tmp_path / "cut", tmp_path, num_voices=1)
    assert read_table(out / "utt2num_samples") == {"v1-ann-1": "6400", "v1-ann-2": "8000"}


def test_what_is_there_is_kept_and_what_is_missing_made(data, tmp_path, capsys, content):
    run(data, tmp_path)
    kept, lost = (tmp_path / "dump" / "flac" / f"{utt}.flac" for utt in ("v1-ann-1", "v2-bob-2"))
    before, files = kept.stat().st_mtime_ns, content(tmp_path)
    lost.unlink()
    run(data, tmp_path)
    assert "8 of 4 new speakers out: 1 made, 7 already there, 0 dropped" in capsys.readouterr().out
    assert kept.stat().st_mtime_ns == before and content(tmp_path) == files


def test_files_of_other_settings_go(data, tmp_path):
    run(data, tmp_path, num_voices=2)
    run(data, tmp_path, num_voices=1)
    assert {path.name[:2] for path in (tmp_path / "dump" / "flac").iterdir()} == {"v1"}


CHANGE = """
from pathlib import Path
from zspex_toolkit.prepare.change_voices import Config, change_voices
change_voices(Config(*map(Path, sys.argv[1:]), num_voices=1))
"""


@pytest.mark.slow
def test_killed_at_any_renaming_the_same_command_gives_the_same_files_and_leaves_no_other(
    data, tmp_path, content, killed_at_renaming
):
    killed_at_renaming(0, CHANGE, data, tmp_path / "whole" / "out", tmp_path / "whole" / "dump")
    expected = {path: text for path, text in content(tmp_path / "whole").items() if path.name != "wav.scp"}
    for number in (1, 3, 5):  # the note, the second and the last of four files
        root = tmp_path / str(number)
        assert killed_at_renaming(number, CHANGE, data, root / "out", root / "dump")
        assert len(list(root.rglob(".*"))) == 1
        killed_at_renaming(0, CHANGE, data, root / "out", root / "dump")
        assert {path: text for path, text in content(root).items() if path.name != "wav.scp"} == expected


def test_broken_audio_is_named_and_no_directory_written(data, tmp_path):
    (tmp_path / "ann-1.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"ann-1: .*ann-1\.wav: not readable as audio"):
        run(data, tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_voices": 5}, "num_voices: expected 1 to 4, got 5"),
        ({"lower_pitch": (0.0, 0.8)}, "lower_pitch: expected two factors of 0.5 to 2, the least first, got 0,0.8"),
        ({"higher_formants": (1.3, 1.1)}, "higher_formants: expected two factors .* got 1.3,1.1"),
    ],
)
def test_settings_out_of_their_range_are_refused(data, tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        run(data, tmp_path, **settings)


def test_a_directory_is_not_changed_into_itself(data, tmp_path):
    with pytest.raises(ConfigError, match="out: expected another place than the input"):
        run(data, tmp_path, "data")


def test_recordings_that_lie_in_the_dump_folder_already_are_refused_and_kept(tmp_path, noise):
    source = tmp_path / "dump" / "flac" / "ann-1.flac"
    write_audio(source, noise(FS), FS)
    write_data_dir(tmp_path / "data", wavs={"ann-1": str(source)}, utt2spk={"ann-1": "ann"})
    with pytest.raises(ConfigError, match=r"dump/flac holds other audio, such as ann-1\.flac; give another"):
        run(tmp_path / "data", tmp_path)
    assert read_audio(source)[1] == FS


@pytest.mark.usefixtures("without_praat")
def test_praat_that_is_not_installed_is_said_before_anything_is_written(data, tmp_path):
    with pytest.raises(UserError, match=r"not installed; pip install 'zspex_toolkit\[voices\]'"):
        run(data, tmp_path)
    assert not (tmp_path / "dump").exists()
