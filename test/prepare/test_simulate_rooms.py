"""A folder of room impulse responses: its files and table, and what happens when a run is repeated or killed."""

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.prepare.simulate_rooms import Config, simulate_rooms
from zspex_toolkit.simulation.recordings import Recordings
from zspex_toolkit.simulation.rooms import room_of

SMALL = {"length_m": (3.0, 4.0), "width_m": (2.5, 3.5), "t60_s": (0.15, 0.25), "distance_m": (0.3, 2.0), "fs": 8000}
NAMES = [f"room000{room}-{place}.flac" for room in (1, 2) for place in (1, 2)]


@pytest.fixture(autouse=True)
def _library():
    pytest.importorskip("pyroomacoustics", reason="needs the extra 'rooms' (pyroomacoustics)")


def run(out, **settings):
    simulate_rooms(Config(out, **{"num_rooms": 2, "num_places": 2, **SMALL, **settings}))
    return out


def test_the_folder_is_one_of_recordings_with_places_of_one_room_by_name(tmp_path):
    recordings = Recordings(run(tmp_path / "rooms"), 8000)
    assert list(recordings) == NAMES
    assert [room_of(name) for name in recordings] == ["room0001"] * 2 + ["room0002"] * 2
    assert all(np.abs(samples).argmax() == 0 for samples in recordings.values())


def test_the_table_tells_size_distance_decay_and_ratio_of_each(tmp_path):
    header, *rows = [line.split("\t") for line in (run(tmp_path) / "responses.tsv").read_text().splitlines()]
    assert header == "file length_m width_m height_m distance_m asked_t60_s t60_s drr_db".split()  # noqa: SIM905
    assert [row[0] for row in rows] == NAMES
    values = np.array([row[1:] for row in rows], float)
    assert (values[0, :3] == values[1, :3]).all() and (values[0, :3] != values[2, :3]).all()
    assert ((values[:, 4] >= 0.15) & (values[:, 4] <= 0.25)).all()
    assert values[:, 5] == pytest.approx(values[:, 4], rel=0.35)
    near, far = np.argmin(values[:, 3]), np.argmax(values[:, 3])
    assert values[near, 6] > values[far, 6]


def test_the_files_are_the_same_in_any_number_of_processes_and_others_by_another_seed(tmp_path, content):
    one, two, other = (run(tmp_path / name, nj=nj, seed=s) for name, nj, s in (("a", 1, 0), ("b", 2, 0), ("c", 1, 1)))
    assert content(one) == content(two) != content(other)


def test_what_is_there_is_kept_what_is_missing_made_and_further_rooms_added(tmp_path, content, capsys):
    before = content(run(tmp_path))
    (tmp_path / "room0002-1.flac").unlink()
    run(tmp_path)
    assert content(tmp_path) == before
    assert "4 responses of 2 rooms: 1 rooms made, 1 already there; T60 0." in capsys.readouterr().out
    run(tmp_path, num_rooms=3)
    assert "6 responses of 3 rooms: 1 rooms made, 2 already there" in capsys.readouterr().out
    run(tmp_path, num_rooms=2)
    assert content(tmp_path) == before


def test_a_table_of_such_a_name_that_was_not_made_is_kept(tmp_path):
    (tmp_path / "responses.tsv").write_text("mine")
    with pytest.raises(ConfigError, match=r"out: .* holds another file of the name responses\.tsv; give"):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["responses.tsv"]


def test_files_of_other_settings_go_and_those_of_others_stay(tmp_path):
    write_audio(tmp_path / "hall.wav", np.ones(5), 8000)
    first = read_audio(run(tmp_path) / NAMES[0])[0]
    run(tmp_path, num_places=1, seed=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hall.wav",
        "made_by.json",
        "responses.tsv",
        "room0001-1.flac",
        "room0002-1.flac",
    ]
    assert not np.array_equal(read_audio(tmp_path / NAMES[0])[0][:500], first[:500])


def test_a_recording_of_such_a_name_that_was_not_made_is_kept(tmp_path):
    write_audio(tmp_path / NAMES[1], np.ones(5), 8000)
    with pytest.raises(ConfigError, match=r"out: .* holds another file of the name room0001-2\.flac; give"):
        run(tmp_path)
    assert len(read_audio(tmp_path / NAMES[1])[0]) == 5


SIMULATE = """
from pathlib import Path
from zspex_toolkit.prepare.simulate_rooms import Config, simulate_rooms
size = {"length_m": (3, 4), "width_m": (2.5, 3.5), "t60_s": (0.15, 0.2)}
simulate_rooms(Config(Path(sys.argv[1]), num_rooms=2, num_places=2, fs=8000, **size))
"""


@pytest.mark.slow
def test_killed_at_any_renaming_the_same_command_gives_the_same_files(tmp_path, content, killed_at_renaming):
    killed_at_renaming(0, SIMULATE, tmp_path / "whole")
    for number in (1, 3, 6):  # the note, a response, the table
        assert killed_at_renaming(number, SIMULATE, tmp_path / str(number))
        killed_at_renaming(0, SIMULATE, tmp_path / str(number))
        assert content(tmp_path / str(number)) == content(tmp_path / "whole")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_rooms": 0}, "num_rooms: expected at least 1, got 0"),
        ({"num_places": 0}, "num_places: expected at least 1, got 0"),
        ({"fs": 4000}, "fs: expected at least 8000, got 4000"),
        ({"t60_s": (0.5, 0.2)}, r"t60_s: expected two values from 0\.1 to 1\.5, the least first, got 0\.5,0\.2"),
        ({"height_m": (2.0, 30.0)}, "height_m: expected two values from 2 to 10, the least first, got 2,30"),
    ],
)
def test_settings_out_of_their_range_are_refused(tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        run(tmp_path / "rooms", **settings)
    assert not (tmp_path / "rooms").exists()
