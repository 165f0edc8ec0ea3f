import pytest

from zspex_toolkit.bin.run_jobs import main
from zspex_toolkit.errors import ConfigError, JobError
from zspex_toolkit.launch.run_jobs import run_jobs


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def site_queue(tmp_path):
    """A site's own job command: writes queue.pl's trailer, and how it was called."""
    script = tmp_path / "queue.pl"
    script.write_text(
        "#!/bin/bash\n"
        'printf "%s\\n" "$@" >called\n'
        "mkdir -p log\n"
        "for n in 1 2; do\n"
        '  printf "Traceback (most recent call last):\\nValueError: job $n\\n" >log/$n\n'
        '  echo "# Finished at x with status 1" >>log/$n\n'
        "done\n"
        "exit 1\n"
    )
    script.chmod(0o755)
    return str(script)


def test_our_own_command_line_is_run_in_this_process_with_its_options(capsys):
    run_jobs("python -m zspex_toolkit.bin.run_jobs --dry_run", num_jobs=2, log="log/JOB", argv=["echo", "JOB"])
    assert capsys.readouterr().out == "echo 1 > log/1 2>&1\necho 2 > log/2 2>&1\n"


def test_an_unknown_back_end_is_named():
    with pytest.raises(ConfigError, match=r"unknown name 'locl' in launch\.backends; did you mean 'local'"):
        run_jobs("python -m zspex_toolkit.bin.run_jobs --backend locl", num_jobs=1, log="x", argv=["true"])


def test_a_sites_own_command_gets_kaldis_contract(site_queue, tmp_path):
    with pytest.raises(JobError) as error:
        run_jobs(f"{site_queue} -q all.q", num_jobs=2, log="log/JOB", argv=["prog", "a b"])
    called = (tmp_path / "called").read_text().splitlines()
    assert called == ["-q", "all.q", "JOB=1:2", "log/JOB", "prog", "$'a\\x20b'"]
    assert "ValueError: job 1" in str(error.value)
    assert str(error.value).endswith("2 / 2 failed, log is in log/*")


def test_a_job_command_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match=r"cannot run the job command 'no_queue\.pl': No such file"):
        run_jobs("no_queue.pl", num_jobs=1, log="x.log", argv=["true"])


def test_the_command_ends_with_1_and_one_summary_if_a_job_fails(capsys):
    assert main(["JOB=1:2", "log/x.JOB.log", "echo", "oops;", "exit", "3"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert "run_jobs:   | oops" in errors
    assert errors[-1] == "run_jobs: 2 / 2 failed, log is in log/x.*.log"


def test_the_command_ends_with_0_if_all_jobs_do_and_says_nothing(capsys):
    assert main(["JOB=1:2", "log/x.JOB.log", "true"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_dry_run_prints_what_would_run_and_runs_nothing(tmp_path, capsys):
    assert main(["--dry-run", "log/x.log", "touch", "here"]) == 0
    assert capsys.readouterr().out == "touch here > log/x.log 2>&1\n"
    assert list(tmp_path.iterdir()) == []
