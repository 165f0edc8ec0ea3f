import os
import re
import time
import tracemalloc

import pytest

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch import job_log


def finished(path, output, returncode):
    job_log.write_header(path, "echo x")
    with path.open("a") as out:
        out.write(output)
    job_log.write_trailer(path, returncode, elapsed_s=2.6, num_threads=4)
    return path


def test_header_and_trailer_are_those_of_run_pl(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    date = r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}"
    log = finished(tmp_path / "new" / "x.log", "hello\n", 1)
    expected = (
        rf"# echo x\n# Started at {date}\n#\nhello\n"
        rf"# Accounting: time=3 threads=4\n# Ended \(code 1\) at {date}, elapsed time 3 seconds\n"
    )
    assert re.fullmatch(expected, log.read_text())


def test_the_signal_that_killed_a_job_stands_in_its_trailer(tmp_path):
    log = finished(tmp_path / "x.log", "", -9)
    assert "# Ended (code 0; signal 9) at " in log.read_text()
    assert job_log.ending(log) == "0; signal 9"


def test_the_ending_is_read_from_run_pl_and_queue_pl_logs(tmp_path):
    assert job_log.ending(finished(tmp_path / "a", "", 0)) == "0"
    (tmp_path / "b").write_text("# Accounting: time=1 threads=1\n# Finished at Sat Nov 21 UTC 2026 with status 3\n")
    assert job_log.ending(tmp_path / "b") == "3"


def test_a_log_without_trailer_or_no_log_has_no_ending(tmp_path):
    job_log.write_header(tmp_path / "a", "sleep 9")
    assert job_log.ending(tmp_path / "a") is None
    assert job_log.ending(tmp_path / "missing") is None
    assert job_log.ending(tmp_path / "a" / "below") is None


def test_of_a_job_that_was_started_again_only_the_last_time_counts(tmp_path):
    log = tmp_path / "x"
    first = "# Running on n1\n# Started at now\n# run\nTraceback (most recent call last):\nKeyError: 1\n"
    first += "# Accounting: time=1 threads=1\n# Finished at now with status 75\n"
    log.write_text(first)
    assert job_log.ending(log) == "75"
    log.write_text(first + "# Running on n2\n# Started at now\n# run\nout of luck\n")
    assert job_log.ending(log) is None
    assert job_log.first_error(log) == ["# run", "out of luck"]


def test_the_first_traceback_is_the_error(tmp_path):
    first = ["Traceback (most recent call last):", '  File "a.py", line 1', "    f()", "KeyError: 'x'"]
    second = ["Traceback (most recent call last):", '  File "b.py", line 2', "OSError: late"]
    log = finished(tmp_path / "x.log", "\n".join(["step 1", *first, "after", *second]) + "\n", 1)
    assert job_log.first_error(log) == first


def test_without_a_traceback_the_last_lines_are_the_error(tmp_path):
    log = finished(tmp_path / "x.log", "".join(f"line {n}\n" for n in range(100)), 1)
    assert job_log.first_error(log) == [f"line {n}" for n in range(75, 100)]


def test_of_a_huge_log_begin_and_end_are_looked_at(tmp_path, monkeypatch):
    log = finished(tmp_path / "x.log", "Traceback (most recent call last):\n  f()\nKeyError: 1\n" + "\0" * 5_000_000, 1)
    monkeypatch.setattr(job_log, "_READ_BYTES", 1000)
    monkeypatch.setattr(job_log, "_TAIL_BYTES", 1000)
    assert job_log.ending(log) == "1"
    assert job_log.first_error(log) == ["Traceback (most recent call last):", "  f()", "KeyError: 1"]


def test_a_log_of_a_gigabyte_takes_no_memory_and_no_time(tmp_path):
    log = tmp_path / "x.log"
    job_log.write_header(log, "x")
    os.truncate(log, 1 << 30)  # a hole: no room on the disk
    job_log.write_trailer(log, 3, elapsed_s=0, num_threads=1)
    tracemalloc.start()
    assert job_log.ending(log) == "3"
    assert job_log.first_error(log)[-2].endswith("bytes of the log left out)")
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_what_a_terminal_would_not_show_is_replaced_and_long_lines_are_cut(tmp_path):
    log = finished(tmp_path / "x.log", "", 1)
    log.write_bytes(b"# x\n\x1b[2Jcl\x00ear\xff\n" + b"long" * 1000 + b"\nend\tof it\n")
    cleared, cut, end = job_log.first_error(log)[1:]
    assert cleared == "\ufffd[2Jcl\ufffdear\ufffd"
    assert cut == "long" * 125 + " ... (4000 characters)"
    assert end == "end\tof it"


def test_the_summary_names_the_first_failed_log_how_it_ended_and_how_many_failed(tmp_path):
    logs = [finished(tmp_path / f"x.{n}.log", f"bad {n}\n", 137) for n in (2, 3)]
    summary = job_log.failure_summary("x.*.log", logs, 4).splitlines()
    assert summary[0].endswith("x.2.log (code 137: killed, often for using too much memory), which says:")
    assert "  | bad 2" in summary
    assert summary[-1] == "2 / 4 failed, log is in x.*.log"


def test_of_a_single_job_the_summary_ends_as_run_pl_does(tmp_path):
    log = finished(tmp_path / "x.log", "bad\n", 1)
    assert job_log.failure_summary("x.log", [log], 1).splitlines()[-1] == "job failed, log is in x.log"


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JobError, match=r"cannot write the log file .*file/x\.log: "):
        job_log.write_header(tmp_path / "file" / "x.log", "echo")
