import os
import signal
import threading

import pytest

from zspex_toolkit.train.signals import StopSignals, TrainingInterrupted


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
