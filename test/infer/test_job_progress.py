import sys

from zspex_toolkit.infer import job_progress
from zspex_toolkit.infer.job_progress import count_done, logged_progress, showing_progress


def test_the_log_gets_a_line_when_time_has_passed_and_one_at_the_end(monkeypatch, capsys):
    clock = iter([0, 4, 11, 12, 13])
    monkeypatch.setattr(job_progress.time, "monotonic", lambda: next(clock))
    assert list(logged_progress(["a", "b", "c"])) == ["a", "b", "c"]
    assert capsys.readouterr().out == "1 of 3 utterances\n3 of 3 utterances\n"


def test_the_last_line_of_every_log_counts(tmp_path):
    logs = [tmp_path / name for name in ("1.log", "2.log", "3.log")]
    logs[0].write_text("# make_mfcc\n10 of 50 utterances\n20 of 50 utterances\ndropped a: 99 of 99 utterances bad\n")
    logs[1].write_text("# make_mfcc\n")  # the third has not started
    assert count_done(logs) == 20


def test_a_terminal_gets_a_bar_and_a_pipe_gets_nothing(tmp_path, monkeypatch, capsys):
    log = tmp_path / "1.log"
    with showing_progress([log], total=4, what="make_mfcc"):
        log.write_text("4 of 4 utterances\n")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with showing_progress([log], total=4, what="make_mfcc"):
        log.write_text("4 of 4 utterances\n")
    assert "make_mfcc: 100%" in capsys.readouterr().err


def test_what_an_earlier_run_logged_is_gone(tmp_path):
    log = tmp_path / "1.log"
    log.write_text("4 of 4 utterances\n")
    with showing_progress([log], total=4, what="make_mfcc"):
        assert count_done([log]) == 0
