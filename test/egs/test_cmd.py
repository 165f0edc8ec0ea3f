"""egs/common/cmd.sh and run_array: the command that every parallel stage goes through."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from zspex_toolkit.launch import job_script

COMMON = Path(__file__).parents[2] / "egs" / "common"
OURS = "python -m zspex_toolkit.bin.run_jobs --backend"


def source(**environment):
    shown = f'set -e; . {COMMON}/cmd.sh; echo "$train_cmd"; echo "$cuda_cmd"'
    kept = {name: value for name, value in os.environ.items() if name not in ("train_cmd", "cuda_cmd", "cmd_backend")}
    return subprocess.run(["bash", "-c", shown], capture_output=True, text=True, env={**kept, **environment})


FOR_JOBS, FOR_GPUS = f"{OURS} slurm --mem 4G --num_tries 2", f"{OURS} slurm --time 9:00:00"


@pytest.mark.parametrize(
    ("given", "train_cmd", "cuda_cmd"),
    [
        ({}, f"{OURS} local", f"{OURS} local"),  # without a choice jobs run here
        *(({"cmd_backend": name}, f"{OURS} {name}", f"{OURS} {name}") for name in ("local", "slurm", "sge")),
        # A site's own command comes before the local back end.
        ({"train_cmd": "queue.pl --mem 4G"}, "queue.pl --mem 4G", "queue.pl --mem 4G"),
        ({"train_cmd": "queue.pl", "cuda_cmd": "queue.pl -q g.q"}, "queue.pl", "queue.pl -q g.q"),
        ({"train_cmd": FOR_JOBS}, FOR_JOBS, FOR_JOBS),
        # Options given for the back end that is named are kept.
        ({"cmd_backend": "slurm", "train_cmd": FOR_JOBS}, FOR_JOBS, FOR_JOBS),
        ({"cmd_backend": "slurm", "cuda_cmd": FOR_GPUS}, f"{OURS} slurm", FOR_GPUS),
        ({"cmd_backend": "slurm", "train_cmd": FOR_JOBS, "cuda_cmd": FOR_GPUS}, FOR_JOBS, FOR_GPUS),
    ],
)
def test_a_back_end_is_chosen_by_its_name_and_what_is_given_for_it_is_kept(given, train_cmd, cuda_cmd):
    done = source(**given)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{train_cmd}\n{cuda_cmd}\n", "")


@pytest.mark.parametrize("name", ["train_cmd", "cuda_cmd"])
@pytest.mark.parametrize("given", ["queue.pl --mem 4G", f"{OURS} sge", f"{OURS} slurm2", OURS.partition(" --")[0]])
def test_a_command_that_contradicts_the_back_end_is_told_with_what_to_leave_out(name, given):
    done = source(cmd_backend="slurm", **{name: given})
    assert (done.returncode, done.stdout) == (1, "")
    said = f"cmd.sh: cmd_backend is slurm, but {name} is '{given}': leave out one of them"
    assert done.stderr == f"{said} (--cmd_backend, or unset {name})\n"


# By Kaldi's contract: its jobs know no option of ours, have nothing of our environment, and read path.sh.
QUEUE = """\
#!/bin/bash
printf '%s\\n' "$@" >called
variable=none
while [[ $1 == -* || $1 == *=* ]]; do
    if [[ $1 == *=* ]]; then variable=${1%%=*} last=${1#*:}; shift; else shift 2; fi
done
log=$1 command=
shift
for word in "$@"; do if [[ $word == *' '* ]]; then command+=" \\"$word\\""; else command+=" $word"; fi; done
for ((n = 1; n <= ${last-1}; n++)); do
    mkdir -p "$(dirname "$log")"
    env -i PATH=/usr/bin:/bin bash -c ". ./path.sh; ${command//$variable/$n}" >"${log//$variable/$n}" 2>&1 || exit 1
done
"""


@pytest.fixture
def recipe(tmp_path):
    """A function that runs lines as a recipe of a site with a queue.pl of its own would."""
    queue = tmp_path / "queue.pl"
    queue.write_text(QUEUE)
    queue.chmod(0o755)

    def run(lines, **environment):
        script = (
            f"COMMON={COMMON} exp=exp nj=2 ngpu=0 num_nodes=1 num_processes= num_threads=3 device=cpu seed=0; "
            ". $COMMON/stages.sh; . $COMMON/recipe.sh; . $COMMON/cmd.sh; mfcc_config=m vad_config=v; set_machine; "
        )
        known = {**os.environ, "train_cmd": f"{queue} --mem 4G", "cmd_backend": "local", **environment}
        command = ["bash", "-c", script + lines]
        return subprocess.run(command, cwd=tmp_path, check=True, env=known, capture_output=True, text=True).stdout

    return run


def test_a_sites_own_command_gets_the_jobs_of_a_stage(recipe, tmp_path):
    recipe("run_array \"$train_cmd\" hello $'echo one\necho two'")
    assert [(tmp_path / f"exp/log/hello.{n}.log").read_text() for n in (1, 2)] == ["one\n", "two\n"]
    called = (tmp_path / "called").read_text().splitlines()
    assert called[:5] == ["--mem", "4G", "--max-jobs-run", "2", "JOB=1:2"]  # run.pl knows it with dashes alone


def test_jobs_of_a_queue_that_hands_on_nothing_have_the_recipes_environment(recipe, tmp_path):
    given = {"PYTHONPATH": "a b;c", "ZSPEX_ANYTHING": "off", "MALLOC_TOP_PAD_": "7", "CUDA_VISIBLE_DEVICES": "1"}
    shown = 'echo "$PYTHONPATH|$ZSPEX_ANYTHING|$MALLOC_TOP_PAD_|${CUDA_VISIBLE_DEVICES-none}|$PATH"'
    recipe(f"run_array \"$train_cmd\" hello '{shown}'", **given)
    assert (tmp_path / "exp/log/hello.1.log").read_text() == f"a b;c|off|7|none|{os.environ['PATH']}\n"


def test_a_path_sh_of_the_sites_own_stays_as_it_is(recipe, tmp_path):
    (tmp_path / "path.sh").write_text("export SITE=theirs\n")
    recipe("run_array \"$train_cmd\" hello 'echo $SITE'")
    assert (tmp_path / "exp/log/hello.1.log").read_text() == "theirs\n"
    assert (tmp_path / "path.sh").read_text() == "export SITE=theirs\n"


def test_back_ends_of_ours_need_no_path_sh(recipe, tmp_path):
    recipe("true", cmd_backend="slurm", train_cmd="")
    assert not (tmp_path / "path.sh").exists()


def test_the_environment_handed_on_is_that_of_our_own_jobs(recipe, tmp_path, monkeypatch):
    for name in ("TORCH_NCCL_BLOCKING_WAIT", "FI_PROVIDER", "CUDA_HOME", "XPATH", "PATHX"):
        monkeypatch.setenv(name, "given")
    recipe("true")
    exported = re.findall(r"^export (\w+)=", (tmp_path / "path.sh").read_text(), re.MULTILINE)
    assert {"TORCH_NCCL_BLOCKING_WAIT", "FI_PROVIDER", "PATH"} < set(exported)
    assert all(job_script.KEPT.fullmatch(name) for name in exported)


def test_options_of_a_training_with_blanks_and_braces_reach_it_as_given(recipe, tmp_path):
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    real = f'[[ $1 != -c ]] || exec {sys.executable} "$@"\n'
    python.write_text(f'#!/bin/bash\n{real}printf "%s\\n" "$OMP_NUM_THREADS" "${{@:3}}"\n')
    python.chmod(0o755)
    given = ["--data", "my data", "--options", "{a: [1, 2]}", "--names", "{a,b}", "--more", "{c:1,d:$x}"]
    recipe(f"train_alone embedder A {shlex.join(given)}", PATH=f"{python.parent}:{os.environ['PATH']}")
    written = (tmp_path / "exp/log/train_A.log").read_text().splitlines()
    assert written[:3] == ["3", "--exp_dir", "exp/A"]
    assert written[-8:] == given


def test_features_within_a_job_are_made_by_no_further_jobs(recipe):
    told = recipe('features_commands data/x; echo; features_commands data/x 4 "$train_cmd"').splitlines()
    assert [line.count("--nj 1 --cmd ''") for line in told] == [2, 0]
    assert [line.count("queue.pl") for line in told] == [0, 2]


@pytest.mark.parametrize("script", ["demix.sh", "tse.sh"])
def test_no_line_of_a_job_list_starts_jobs_of_its_own(script):
    """What is quoted into a list (lines=$(...)) holds neither the command for jobs nor features made by it."""
    lists = re.findall(
        r"^        lines=\$\(\n(.*?)^        \)", (COMMON / script).read_text(), re.MULTILINE | re.DOTALL
    )
    assert len(lists) >= 3
    assert not [text for text in lists if re.search(r"_cmd|--cmd|features_commands \S+ [^\n]", text)]
