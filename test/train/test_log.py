import re

import pytest

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.log import TrainLog, progress_bar


def test_lines_carry_the_time_and_are_appended(tmp_path, capsys):
    for message in ("one", "two"):
        with TrainLog(tmp_path / "train.log") as log:
            log(message)
    lines = (tmp_path / "train.log").read_text().splitlines()
    assert [re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d (\w+)", line)[1] for line in lines] == ["one", "two"]
    assert capsys.readouterr().err.splitlines() == lines


def test_a_full_disk_is_one_line(tmp_path):
    (tmp_path / "train.log").symlink_to("/dev/full")
    with (
        pytest.raises(UserError, match=r"train.log: cannot write \(No space left on device\)"),
        TrainLog(tmp_path / "train.log") as log,
    ):
        log("one")


def test_there_is_no_bar_without_a_terminal(capsys):
    with progress_bar("epoch 1", 3) as bar:
        bar.update()
    assert capsys.readouterr().err == ""
