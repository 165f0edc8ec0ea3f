from zspex_toolkit.launch import scheduler


def test_a_command_that_is_missing_or_hangs_has_failed(monkeypatch):
    missing = scheduler.ask("no-such-command", "--x")
    assert missing.returncode == 1 and "No such file" in missing.stderr
    monkeypatch.setattr(scheduler, "_ASK_TIMEOUT_S", 0.1)
    hangs = scheduler.ask("sleep", "20")
    assert hangs.returncode == 1 and "timed out after 0.1 seconds" in hangs.stderr


def test_what_a_command_says_is_kept():
    done = scheduler.ask("bash", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
