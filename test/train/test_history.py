import contextlib
import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.train.history import History, read_history


def line(epoch, loss):
    return {"epoch": epoch, "train": {"loss": loss}, "valid": None, "learning_rate": 0.1, "best": True}


def test_lines_after_the_epoch_to_go_on_from_are_replaced(tmp_path):
    with contextlib.closing(History(tmp_path, epoch=0)) as history:
        for epoch in (1, 2, 3):
            history.add(line(epoch, 0.5))
    with contextlib.closing(History(tmp_path, epoch=1)) as history:
        history.add(line(2, 0.75))
    assert read_history(tmp_path) == [line(1, 0.5), line(2, 0.75)]
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("train/loss")] == [(1, 0.5), (2, 0.75)]


def test_what_is_not_finite_is_null_because_json_has_no_name_for_it(tmp_path):
    with contextlib.closing(History(tmp_path, epoch=0)) as history:
        history.add(line(1, float("nan")))
    text = (tmp_path / "history.jsonl").read_text()
    assert json.loads(text, parse_constant=lambda name: "not JSON")["train"]["loss"] is None


def test_no_history_is_an_empty_one(tmp_path):
    assert read_history(tmp_path) == []


def test_a_broken_line_of_a_history_is_named(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1, "train": {}, "valid": {}}\n{"epoch": 2, "tr')
    with pytest.raises(DataDirError, match=r'history.jsonl:2: expected \{"epoch", "train", "valid", ...\}, got'):
        read_history(tmp_path)
