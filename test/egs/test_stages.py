"""egs/common/stages.sh: options, stages and their done-marks, what is printed when one fails."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

COMMON = Path(__file__).parents[2] / "egs" / "common"

HEAD = f"""#!/usr/bin/env bash
set -euo pipefail
. {COMMON}/stages.sh
# Options
stage=1            # first stage
stop_stage=9       # last stage
force=false        # run again
nj=4               # number of jobs
corpus_dir=        # folder of the corpus
# End of options
marks=marks
"""


@pytest.fixture
def script(tmp_path):
    """Run a script that begins with HEAD; gives its status, output and errors."""

    def run(body, *argv):
        path = tmp_path / "recipe.sh"
        path.write_text(HEAD + body)
        done = subprocess.run(["bash", path, *argv], cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def options(script):
    """Parse options and print what came out."""
    return lambda *argv: script(
        'help_message="H: $(options_help "$0")"\nparse_options "$@"\necho "$nj|$corpus_dir"\n', *argv
    )


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--nj", "8", "--corpus-dir", "/a b"), "8|/a b\n"),
        (("--corpus_dir", "x"), "4|x\n"),
        (("--corpus_dir", "", "--nj", "-1"), "-1|\n"),
    ],
)
def test_an_option_with_dashes_or_underscores_sets_its_variable_to_any_value(options, argv, told):
    assert options(*argv)[1] == told


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--corpus_dri", "x"], "unknown option --corpus_dri; did you mean --corpus_dir?"),
        (["--zzz", "x"], "unknown option --zzz;"),
        (["--nj"], "option --nj has no value"),
        (["--nj=3"], "'--nj=3': options have the form --name value"),
        (["3"], "unexpected argument '3': options have the form --name value"),
        (["--nj", "many"], "option --nj: expected a number, got 'many'"),
        (["--force", "1"], "option --force: expected true or false, got '1'"),
        (["--config", "missing.sh"], "--config: cannot read 'missing.sh'"),
        (["--PATH", "x"], "unknown option --PATH"),
    ],
)
def test_a_bad_option_stops_the_script_in_one_line(options, argv, message):
    status, output, errors = options(*argv)
    assert (status, output) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1


def test_the_command_line_wins_over_the_config_file(options, tmp_path):
    (tmp_path / "site.conf").write_text("nj=16\ncorpus_dir=/site\n")
    assert options("--nj", "2", "--config", "site.conf")[1] == "2|/site\n"


def test_help_lists_each_option_with_its_meaning_and_default(options):
    status, output, _ = options("--help")
    assert status == 0
    assert re.search(r"^  --nj +number of jobs \[4\]$", output, re.MULTILINE)
    assert re.search(r"^  --corpus_dir +folder of the corpus$", output, re.MULTILINE)


STAGES = """parse_options "$@"
if in_stage 1 "Copy" for input "$nj" makes out; then cp input out; echo ran 1; fi
if in_stage 2 "Count" for out; then wc -l <out; echo ran 2; fi
finish
"""


def ran(result):
    status, output, errors = result
    assert status == 0, errors
    return re.findall(r"^ran (\d)$", output, re.MULTILINE)


@pytest.fixture
def stages(script, tmp_path):
    (tmp_path / "input").write_text("a\n")
    return lambda *argv: script(STAGES, *argv)


def test_stages_run_once(stages):
    assert ran(stages()) == ["1", "2"]
    again = stages()
    assert ran(again) == []
    assert "Stage 1: Copy: done before, skipped (--force true runs it again)" in again[1]
    assert "Successfully finished." in again[1]


@pytest.mark.parametrize(
    ("change", "argv", "again"),
    [
        (lambda work: (work / "input").write_text("b\n"), (), ["1", "2"]),
        (lambda work: (work / "out").unlink(), (), ["1"]),
        (lambda work: None, ("--nj", "5"), ["1"]),  # its output is the same as before
        (lambda work: None, ("--force", "true"), ["1", "2"]),
    ],
    ids=["input", "output", "option", "force"],
)
def test_what_has_changed_runs_its_stage_and_those_that_depend_on_it(stages, tmp_path, change, argv, again):
    stages()
    change(tmp_path)
    assert ran(stages(*argv)) == again


def test_only_the_stages_asked_for_run(stages):
    assert ran(stages("--stop_stage", "1")) == ["1"]
    assert ran(stages("--stage", "2", "--stop_stage", "2")) == ["2"]


def test_a_file_added_to_an_input_folder_counts_as_a_change(script, tmp_path):
    (tmp_path / "data").mkdir()
    body = 'parse_options "$@"\nif in_stage 1 "Read" for data; then echo ran 1; fi\nfinish\n'
    assert ran(script(body)) == ["1"]
    assert ran(script(body)) == []
    (tmp_path / "data" / "wav.scp").write_text("a b\n")
    assert ran(script(body)) == ["1"]


FAILING = """parse_options "$@"
work() { cat input >/dev/null; false; }
if in_stage 1 "Copy" for input; then work; fi
finish
"""


def test_a_failed_stage_says_which_where_and_what_and_is_not_marked_done(script, tmp_path):
    (tmp_path / "input").write_text("a\n")
    status, output, errors = script(FAILING)
    assert status == 1
    assert "recipe.sh:13: stage 1 (Copy) failed with status 1 at: false\n" in errors
    assert errors.count("failed with status") == 1
    assert "finished" not in output
    assert not (tmp_path / "marks" / "1").exists()


def test_an_error_within_a_substitution_stops_the_stage(script):
    status, _, errors = script('in_stage 1 "List"\nlines=$(false; echo rest)\necho "$lines"\nfinish\n')
    assert status == 1
    assert "stage 1 (List) failed" in errors


WORK = """parse_options "$@"
if in_stage 1 "Train" for "$nj"; then
    set_aside_unless_resumed exp/net
    mkdir -p exp/net
    echo "$nj" >>exp/net/log
    [[ ! -e stop ]] || exit 7
fi
finish
"""


def test_unfinished_work_is_taken_up_again_under_the_same_options(script, tmp_path):
    (tmp_path / "stop").write_text("")
    assert script(WORK)[0] == 7
    (tmp_path / "stop").unlink()
    assert script(WORK)[0] == 0
    assert (tmp_path / "exp/net/log").read_text() == "4\n4\n"


def test_work_of_other_options_is_set_aside_not_lost(script, tmp_path):
    assert script(WORK)[0] == 0
    _, output, _ = script(WORK, "--nj", "5")
    assert "exp/net was made with other data or options; it is now in exp/old/" in output
    assert (tmp_path / "exp/net/log").read_text() == "5\n"
    (old,) = tmp_path.glob("exp/old/*/net/log")
    assert old.read_text() == "4\n"


MANY = """parse_options "$@"
if in_stage 1 "Train" for "$nj"; then
    for net in $nj; do
        set_aside_unless_from "exp/$net" "$net" settings
        echo "$net" >>"exp/$net/log"
    done
fi
finish
"""


def test_of_several_trainings_those_from_the_same_inputs_are_kept(script, tmp_path):
    (tmp_path / "settings").write_text("1")
    assert script(MANY.replace("$nj", "a"))[0] == 0
    assert script(MANY.replace("$nj", "a b"))[0] == 0
    assert (tmp_path / "exp/a/log").read_text() == "a\na\n"  # gone on with
    (tmp_path / "settings").write_text("2")
    assert script(MANY.replace("$nj", "a c"))[0] == 0
    assert (tmp_path / "exp/a/log").read_text() == "a\n"  # begun anew
    assert [old.read_text() for old in tmp_path.glob("exp/old/*/a/log")] == ["a\na\n"]


def test_die_names_file_and_line(script):
    status, _, errors = script('die "no such corpus"\n')
    assert (status, errors) == (1, "recipe.sh:12: no such corpus\n")


def test_progress_shows_the_newest_line_of_a_log_and_keeps_the_status(script):
    body = "sleep() { command sleep 0.1; }\n"
    body += "with_progress job.log bash -c 'echo step 3 >job.log; command sleep 0.4; exit 4'\n"
    status, output, _ = script(body)
    assert status == 4
    assert output == "    job: step 3\n"


def test_progress_of_a_log_with_binary_data_or_without_an_end_of_line_stays_readable(script):
    body = "sleep() { command sleep 0.1; }\n"
    write = r"printf \"caf\\303\\251 \\033[2J\\000 7\\n# a comment\\n\"; head -c 3000 /dev/zero; echo"
    body += f'with_progress job.log bash -c "{{ {write}; }} >job.log; command sleep 0.4"\n'
    status, output, _ = script(body)
    assert status == 0
    assert output == "    job: café [2J 7\n"


SHARED = ("effective batch: 4 x 1 = 4 items; 5 steps an epoch x 1 epochs = 5 steps", "learning rate: 0.1 by the rule x")
SHARED += ("2 processes: batch_size counts for all together, each takes 2 of the 4 items of a batch",)


@pytest.mark.parametrize("rounds", ["sleep() { command sleep 0.1; }\n", ""])  # several, or none before the end
def test_what_trainings_say_about_batch_steps_and_learning_rate_is_shown_once(script, tmp_path, rounds):
    said = "".join(f"2026-01-02T03:04:05 {line}\n" for line in ("network: 8", *SHARED, "epoch 1"))
    (tmp_path / "said").write_text(said)
    body = "with_progress 'job.*.log' bash -c 'for n in 1 2; do cp said job.$n.log; done; sleep 0.5'\n"
    status, output, _ = script(rounds + body)
    assert status == 0
    assert [line for line in output.splitlines() if "epoch 1" not in line[-8:]] == [f"    {line}" for line in SHARED]


STAGE = 'if in_stage 1 "One"; then touch began; command sleep 20; fi\nfinish\n'


@pytest.fixture
def running(script, tmp_path):
    """A recipe that is in its first stage; ended, with what it started, at the end of the test."""
    path = tmp_path / "first.sh"
    path.write_text(HEAD + STAGE)
    with subprocess.Popen(["bash", path], cwd=tmp_path, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while not (tmp_path / "began").exists():
            time.sleep(0.02)
        yield process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_of_two_runs_in_one_place_the_second_is_told_of_the_first_and_changes_nothing(script, running, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    status, _, errors = script('if in_stage 1 "Other"; then touch changed; fi\nfinish\n')
    assert status == 1 and errors.count("\n") == 1
    assert f"in use by another run of a recipe (process {running.pid} on host {socket.gethostname()}, since 2" in errors
    assert set(tmp_path.rglob("*")) - set(before) == {tmp_path / "recipe.sh"}
    elsewhere = 'marks=other/stages\nif in_stage 1 "Other"; then touch changed; fi\nfinish\n'
    assert script(elsewhere)[0] == 0


def test_after_the_first_run_was_killed_the_next_goes_on(script, running, tmp_path):
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert script('if in_stage 1 "One"; then touch changed; fi\nfinish\n')[0] == 0
    assert (tmp_path / "changed").exists()


def test_what_shows_progress_holds_no_lock_when_the_run_has_ended(script):
    body = 'if in_stage 1 "One" for "$nj"; then with_progress x.log command sleep 0.2; fi\nfinish\n'
    assert script(body)[0] == 0
    assert script(body, "--nj", "5")[0] == 0


def test_the_data_is_free_as_soon_as_the_next_stage_is_of_an_experiment(script, tmp_path):
    held = "flock --nonblock {}/.lock true && echo free {} || echo held {}\n"
    body = 'marks=data/stages\nif in_stage 1 "One"; then true; fi\n'
    body += 'marks=exp/a/stages\nif in_stage 2 "Two"; then true; fi\n'
    body += "".join(held.format(folder, folder, folder) for folder in ("data/stages", "exp/a/stages"))
    body += 'marks=data/stages\nif in_stage 3 "Three"; then true; fi\n'
    body += "".join(held.format(folder, folder, folder) for folder in ("data/stages", "exp/a/stages"))
    _, output, _ = script(body)
    told = [line for line in output.splitlines() if line.startswith(("free", "held"))]
    assert told == ["free data/stages", "held exp/a/stages", "held data/stages", "held exp/a/stages"]
