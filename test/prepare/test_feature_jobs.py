import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError, DataDirError, JobError
from zspex_toolkit.io.archive import ArchiveWriter, read_scp
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare import feature_jobs
from zspex_toolkit.prepare.feature_jobs import (
    count_done,
    logged_progress,
    piece_of,
    run_feature_jobs,
    showing_progress,
)
from zspex_toolkit.prepare.make_mfcc import Config

UTTS = ["a-1", "a-2", "b-1", "b-2"]


@pytest.fixture
def data(tmp_path):
    write_data_dir(tmp_path / "tr", wavs={utt: f"{utt}.wav" for utt in UTTS}, utt2spk={utt: utt[0] for utt in UTTS})
    return tmp_path / "tr"


@pytest.fixture
def run(data, tmp_path, monkeypatch):
    """Run jobs that write the job's number for each utterance, but for ``bad`` ones and jobs that ``fail``."""

    def run(*, value=1.0, bad=(), fail=False, nj=2, max_dropped_share=0.0):
        def run_jobs(_, *, num_jobs, log, argv):
            out = Path(argv[argv.index("--out") + 1])
            for job in range(1, num_jobs + 1):
                utts = [utt for utt in piece_of(UTTS, job, num_jobs) if utt not in bad]
                with ArchiveWriter(out / f"{job}.ark", out / f"scp.{job}") as writer:
                    for utt in utts:
                        writer[utt] = np.full(3, value)
                write_table(
                    out / f"dropped.{job}", {utt: "broken" for utt in piece_of(UTTS, job, num_jobs) if utt in bad}
                )
                write_table(out / f"utt2num_frames.{job}", dict.fromkeys(utts, 3))
            if fail:
                raise JobError("1 / 2 failed")

        monkeypatch.setattr("zspex_toolkit.prepare.feature_jobs.run_jobs", run_jobs)
        out = tmp_path / "ark"
        config = Config(data, out, nj=nj, max_dropped_share=max_dropped_share)
        tables = ["utt2num_frames"]
        run_feature_jobs(config, command="make_mfcc", archive="raw_mfcc_tr", script="feats.scp", tables=tables)

    return run


def test_archives_scripts_and_tables_of_all_jobs_are_published(run, data, tmp_path):
    run()
    assert sorted(path.name for path in (tmp_path / "ark").iterdir()) == [
        *("raw_mfcc_tr.1.ark", "raw_mfcc_tr.1.scp", "raw_mfcc_tr.2.ark", "raw_mfcc_tr.2.scp"),
    ]
    assert {utt: vector.tolist() for utt, vector in read_scp(data / "feats.scp").items()} == dict.fromkeys(
        UTTS, [1] * 3
    )
    assert list(read_table(tmp_path / "ark" / "raw_mfcc_tr.2.scp")) == UTTS[2:]
    assert list(read_table(data / "utt2num_frames")) == UTTS
    assert not (data / "dropped.txt").exists()


def test_what_is_dropped_is_counted_named_and_refused(run, data, tmp_path, capsys):
    with pytest.raises(DataDirError, match=r"tr: 1 of 4 utterances failed, --max_dropped_share allows a share of 0; "):
        run(bad=["b-1"])
    assert (data / "dropped.txt").read_text() == "b-1 make_mfcc: broken\n"
    assert "4 utterances in, 3 kept, 1 dropped" in capsys.readouterr().out
    assert not (data / "feats.scp").exists()
    assert not list((tmp_path / "ark").iterdir())


def test_an_allowed_share_of_failures_leaves_the_rest(run, data):
    run(bad=["b-1"], max_dropped_share=0.25)
    assert list(read_table(data / "feats.scp")) == list(read_table(data / "utt2num_frames")) == ["a-1", "a-2", "b-2"]


def test_nothing_left_is_a_failure_whatever_share_is_allowed(run):
    with pytest.raises(DataDirError, match=r"4 of 4 utterances failed, none is left; feats.scp is as it was"):
        run(bad=UTTS, max_dropped_share=1.0)


@pytest.mark.parametrize("fault", [{"bad": ["a-1"]}, {"fail": True}])
def test_after_a_fault_script_and_archives_of_before_are_intact(run, data, tmp_path, content, fault):
    run(value=1.0)
    before = content(tmp_path / "ark") | content(data)
    with pytest.raises((DataDirError, JobError)):
        run(value=2.0, **fault)
    after = content(tmp_path / "ark") | content(data)
    after.pop(Path("dropped.txt"), None)
    assert after == before


def test_killed_between_two_archives_no_script_points_into_them(run, data, tmp_path, monkeypatch):
    run(value=1.0)

    def killed_at_the_second(source, target, replace=os.replace):
        if Path(target).name == "raw_mfcc_tr.2.ark":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr("zspex_toolkit.prepare.feature_jobs.os.replace", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        run(value=2.0)
    assert not (data / "feats.scp").exists() and not (tmp_path / "ark" / "raw_mfcc_tr.2.scp").exists()
    assert (tmp_path / "ark" / "raw_mfcc_tr.2.ark").exists()


def test_notes_of_other_commands_on_dropped_utterances_stay_and_own_ones_are_renewed(run, data):
    (data / "dropped.txt").write_text("a-9 no audio\nb-1 make_mfcc: an earlier reason\n")
    run(bad=["b-2"], max_dropped_share=0.5)
    assert (data / "dropped.txt").read_text() == "a-9 no audio\nb-2 make_mfcc: broken\n"


def test_no_more_jobs_run_than_there_are_utterances(run, tmp_path):
    run(nj=50)
    assert len(list((tmp_path / "ark").glob("*.ark"))) == 4


def test_the_pieces_of_all_jobs_are_the_whole_in_order():
    for nj in range(1, 12):
        assert [utt for job in range(1, nj + 1) for utt in piece_of(range(11), job, nj)] == list(range(11))


@pytest.mark.parametrize(
    ("nj", "share", "message"),
    [
        (0, 0, "--nj: expected at least 1 job, got 0"),
        (1, 1.5, "--max_dropped_share: expected a share of 0 to 1, got 1.5"),
    ],
)
def test_impossible_options_are_refused(run, nj, share, message):
    with pytest.raises(ConfigError, match=message):
        run(nj=nj, max_dropped_share=share)


def test_what_a_killed_run_left_goes_with_the_next_one(run, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LEAVE, tmp_path / "ark" / "raw_mfcc_tr"], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "ark").glob(".raw_mfcc_tr.*/*")] == ["1.ark"]
    run()
    assert not [name for name in os.listdir(tmp_path / "ark") if name.startswith(".")]


LEAVE = """
import os, signal, sys
from pathlib import Path
from zspex_toolkit.io.temporary import temporary_folder
Path(sys.argv[1]).parent.mkdir()
with temporary_folder(Path(sys.argv[1])) as pieces:
    pieces.mkdir()
    (pieces / "1.ark").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_log_gets_a_line_when_time_has_passed_and_one_at_the_end(monkeypatch, capsys):
    clock = iter([0, 4, 11, 12, 13])
    monkeypatch.setattr(feature_jobs.time, "monotonic", lambda: next(clock))
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
