import json
import os
import signal
import threading

import pytest

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.processes import ALONE
from zspex_toolkit.train.signals import StopMark, StopSignals, TrainingInterrupted


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_is_noted_and_raised_when_asked_for(name):
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        signals.check()
        os.kill(os.getpid(), getattr(signal, name))
        with pytest.raises(TrainingInterrupted) as interrupt:
            signals.check()
    assert (interrupt.value.code, interrupt.value.signal_name) == (75, name)
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_the_handlers_are_left_alone():
    def enter():
        with StopSignals():
            found.append(signal.getsignal(signal.SIGTERM))

    found = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


def stop(exp_dir, begin, end):
    mark = StopMark(exp_dir, begin, ALONE)
    mark.remove()
    mark.leave("SIGUSR1", f"epoch-1-step-{end}.pt", end)
    return json.loads((exp_dir / "stopped").read_text())


def test_it_names_signal_checkpoint_and_start_until_the_training_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("ZSPEX_START", "17-4")
    expected = {"signal": "SIGUSR1", "checkpoint": "epoch-1-step-3.pt", "starts_in_vain": 0, "start": "17-4"}
    assert stop(tmp_path, 0, 3) == expected
    StopMark(tmp_path, 3, ALONE).remove()
    assert not (tmp_path / "stopped").exists()


def test_starts_without_a_step_between_them_are_bounded_and_a_step_begins_anew(tmp_path):
    assert [stop(tmp_path, 5, 5)["starts_in_vain"] for _ in range(4)] == [1, 2, 3, 4]
    assert stop(tmp_path, 5, 6)["starts_in_vain"] == 0
    assert [stop(tmp_path, 6, 6)["starts_in_vain"] for _ in range(4)] == [1, 2, 3, 4]
    with pytest.raises(UserError, match="stopped by SIGUSR1 5 times in a row without a step in between, giving up"):
        stop(tmp_path, 6, 6)
    assert not (tmp_path / "stopped").exists()
