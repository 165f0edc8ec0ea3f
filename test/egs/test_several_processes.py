"""Recipes' trainings on several processes and nodes: what is started, and what its end means."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

COMMON = Path(__file__).parents[2] / "egs" / "common"
STARTER = COMMON / "several_processes.sh"
TORCHRUN = ["-m", "zspex_toolkit.launch.torchrun"]


@pytest.fixture
def start(tmp_path):
    """Call the starter; programs that only pretend write down how they were called."""
    programs = {
        # Of the one that stands for torchrun the test says what it does.
        "python": 'printf "%s\\n" "$@" >>called; echo "threads $OMP_NUM_THREADS, $PET_SIGNALS_TO_HANDLE"; eval "$DO"',
        "srun": 'for n in 0 1; do SLURM_NODEID=$n "${@:9}" & done; printf "%s\\n" "${@:1:8}" >srun; wait %1 && wait',
        "scontrol": 'case $2 in hostnames) echo n7; echo n9 ;; *) echo "x=$4 NodeAddr=${ADDRESS-addr-$4} y=1" ;; esac',
    }
    for name, text in programs.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/bash\n{text}\n")
        program.chmod(0o755)

    def call(*argv, do="true", **variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        environment = {**kept, "PATH": f"{tmp_path}:{os.environ['PATH']}", "DO": do, **variables}
        done = subprocess.run([STARTER, *argv], cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return call


ARGV = ("the.module", "--exp_dir", "exp", "--x", "a b")


def test_on_one_node_torchrun_starts_the_processes_which_share_the_threads(start, tmp_path):
    status, output, _ = start("1", "2", *ARGV, OMP_NUM_THREADS="6")
    assert status == 0 and output.startswith("threads 3, ") and output.endswith("SIGUSR1\n")
    called = [*TORCHRUN, "--nnodes", "1", "--nproc_per_node", "2", "--standalone", "-m", *ARGV]
    assert (tmp_path / "called").read_text().splitlines() == called


def test_on_several_nodes_each_has_its_number_and_all_meet_at_the_first(start, tmp_path):
    slurm = {"SLURM_JOB_ID": "17", "SLURM_JOB_NODELIST": "n[7,9]", "SLURM_RESTART_COUNT": "1"}
    assert start("2", "4", *ARGV, **slurm)[0] == 0
    assert (tmp_path / "srun").read_text().split()[:3] == ["--export=ALL", "--nodes", "2"]
    called = (tmp_path / "called").read_text()
    for node in ("0", "1"):
        meeting = ["--rdzv_id", "17", "--master_addr", "addr-n7", "--master_port", str(10000 + 17 + 4999)]
        argv = [*TORCHRUN, "--nnodes", "2", "--nproc_per_node", "4", *meeting, "--node_rank", node, "-m", *ARGV]
        assert "\n".join(argv) in called


def listening(address="127.0.0.1"):
    """A port at which something listens, as long as the socket lives."""
    listener = socket.socket()
    for number in range(100):
        try:
            listener.bind((address, 10000 + 17 + number))
        except OSError:
            continue
        listener.listen()
        return listener, number + 17
    raise AssertionError("no free port")


def test_where_the_port_of_a_job_is_taken_the_nodes_meet_at_another(start, tmp_path):
    listener, job = listening()
    slurm = {"SLURM_JOB_ID": str(job), "SLURM_JOB_NODELIST": "n[7,9]", "ADDRESS": "127.0.0.1"}
    with listener:
        assert start("2", "1", *ARGV, **slurm)[0] == 0
    assert f"--master_port\n{10000 + job + 7001}\n" in (tmp_path / "called").read_text()
    assert f"--master_port\n{10000 + job}\n" not in (tmp_path / "called").read_text()


JOB = {"SLURM_JOB_ID": "17", "SLURM_JOB_NODELIST": "n[7,9]"}
NUMBERS = "expected NODES PROCESSES MODULE OPTION..., two numbers of 1 or more first"


@pytest.mark.parametrize(
    ("counts", "variables", "gone", "message"),
    [
        (("2", "1"), {}, None, "expected to be part of a Slurm job of 2 nodes, found no SLURM_JOB_NODELIST"),
        (("3", "1"), JOB, None, "expected a Slurm job of 3 nodes, found 2: n7 n9"),
        (("2", "1"), JOB, "srun", "srun: no such program; the nodes of a training are reached through Slurm"),
        (("2", "1"), JOB, "scontrol", "scontrol: no such program; the nodes of a training are reached through Slurm"),
        (("two", "1"), JOB, None, f"{NUMBERS}, got: two 1"),
        (("1", "0"), {}, None, f"{NUMBERS}, got: 1 0"),
    ],
)
def test_what_cannot_start_is_one_clear_line(start, tmp_path, counts, variables, gone, message):
    path = {}
    if gone:
        (tmp_path / gone).unlink()
        path["PATH"] = str(only_basics(tmp_path))
    status, _, errors = start(*counts, *ARGV, **variables, **path)
    assert status == 1 and errors.count("\n") == 1 and errors.startswith(f"several_processes.sh: {message}")
    assert not (tmp_path / "called").exists()


def only_basics(folder):
    """A machine without Slurm, but for what pretends to be it in the folder."""
    for name in ("bash", "date", "sed", "grep", "timeout", "env"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def test_of_nodes_that_fail_the_last_line_names_them_and_where_they_meet(start):
    status, _, errors = start("2", "1", *ARGV, do="exit 3", **JOB)
    (line,) = errors.splitlines()
    assert status == 3
    assert "the training on the nodes n7 n9, which meet at addr-n7, port 10017, ended with status 3; what is" in line


STOP = 'echo "{{\\"start\\": \\"$ZSPEX_START\\"}}" >"{}"; exit {}'


@pytest.mark.parametrize("folder", ["exp", "exp_concat2", "my exp"])
@pytest.mark.parametrize("form", ["--exp_dir {}", "--exp_dir={}"])
def test_a_training_that_was_stopped_and_saved_ends_with_75(start, tmp_path, folder, form):
    (tmp_path / folder).mkdir()
    argv = ("the.module", *[word.format(folder.removesuffix("_concat2")) for word in form.split()])
    for _ in range(2):
        status, _, errors = start("1", "2", *argv, do=STOP.format(f"{folder}/stopped", 1))
        assert status == 75 and errors.endswith("was stopped and has saved; the same command goes on with it\n")


@pytest.mark.parametrize("start_of_another", ["", "17-4"])
def test_the_mark_of_another_start_or_of_a_finished_training_means_nothing(start, tmp_path, start_of_another):
    for folder in ("exp", "exp_of_another_training"):
        (tmp_path / folder).mkdir()
        mark = f'echo "{{\\"start\\": \\"{start_of_another}\\"}}" >{folder}/stopped; exit 9'
        assert start("1", "2", *ARGV, do=mark)[0] == 9
    assert start("1", "2", *ARGV, do=STOP.format("exp/stopped", 0))[0] == 0


@pytest.mark.parametrize("status", [1, 75, 137])
def test_the_status_of_what_was_started_is_that_of_the_starter(start, status):
    assert start("1", "2", "the.module", do=f"exit {status}")[0] == status  # no --exp_dir: nothing to look at


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_does_not_end_the_starter_before_what_it_started(start, tmp_path, number):
    (tmp_path / "exp").mkdir()
    do = f"kill -{int(number)} $PPID; sleep 0.3; {STOP.format('exp/stopped', 1)}"
    assert start("1", "2", *ARGV, do=do)[0] == 75


def machine(tmp_path, shown, **options):
    """What a recipe with these options would do; nothing is started."""
    given = {"ngpu": "0", "num_nodes": "1", "num_processes": "", "nj": "4", "num_threads": "", "exp": "exp", **options}
    settings = "".join(f"{name}={value}; " for name, value in given.items())
    script = f"COMMON={COMMON}; . $COMMON/stages.sh; . $COMMON/recipe.sh; {settings} . $COMMON/cmd.sh; set_machine; "
    kept = {k: v for k, v in os.environ.items() if k not in ("train_cmd", "cuda_cmd", "cmd_backend")}
    done = subprocess.run(["bash", "-c", script + shown], cwd=tmp_path, env=kept, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


OURS = "python -m zspex_toolkit.bin.run_jobs --backend"


def test_one_process_is_started_without_torchrun_and_may_be_started_again(tmp_path):
    shown = 'echo "$training_cmd"; training extractor --exp_dir "a b"'
    assert machine(tmp_path, shown) == (
        0,
        f"{OURS} local --requeue true\npython -m zspex_toolkit.bin.train_extractor --exp_dir a\\ b \n",
    )


@pytest.mark.parametrize(
    ("options", "flags", "counts"),
    [
        ({"ngpu": "2"}, "local --gpu 2 --requeue true", "1 2"),
        ({"num_processes": "3"}, "local --requeue true", "1 3"),
        ({"num_nodes": "2", "cmd_backend": "slurm"}, "slurm --num_nodes 2 --requeue true", "2 1"),
        ({"num_nodes": "2", "ngpu": "4", "cmd_backend": "slurm"}, "slurm --gpu 4 --num_nodes 2 --requeue true", "2 4"),
    ],
)
def test_several_processes_or_nodes_are_started_together(tmp_path, options, flags, counts):
    told = machine(tmp_path, 'echo "$training_cmd"; training embedder --x 1', **options)
    assert told == (0, f"{OURS} {flags}\n{STARTER} {counts} zspex_toolkit.bin.train_embedder --x 1 \n")


def test_a_sites_own_command_gets_no_option_that_it_does_not_know(tmp_path):
    told = machine(tmp_path, 'echo "$training_cmd"', ngpu="1", train_cmd="queue.pl", num_nodes="2")
    assert told == (0, "queue.pl --gpu 1 --num_nodes 2\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_nodes": "2"}, "--num_nodes 2: trainings on several nodes are jobs of Slurm; give --cmd_backend slurm"),
        ({"num_nodes": "2", "cmd_backend": "sge"}, "--num_nodes 2: trainings on several nodes are jobs of Slurm"),
        ({"ngpu": "2", "num_processes": "3"}, "--num_processes 3: on GPUs a training has one process for each (--ngpu"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(tmp_path, options, message):
    status, told = machine(tmp_path, "echo went on", **options)
    assert status == 1 and message in told and "went on" not in told


@pytest.mark.parametrize(("visible", "ngpu"), [(None, "1"), ("0", "1"), ("", "0"), ("-1", "0")])
def test_a_machine_whose_gpus_are_hidden_has_none(tmp_path, monkeypatch, visible, ngpu):
    listing = tmp_path / "nvidia-smi"
    listing.write_text("#!/bin/bash\necho 'GPU 0: one'\n")
    listing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine(tmp_path, "echo $ngpu", ngpu="") == (0, f"{ngpu}\n")


@pytest.mark.parametrize(("name", "backend"), [("slurm", "slurm"), ("queue", "sge")])
def test_without_gpus_a_cluster_need_not_describe_the_option(tmp_path, name, backend):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / f"{name}.conf").write_text("command submit\noption num_threads=* -n $0\n")
    shown = 'for cmd in "$training_cmd" "$gpu_cmd"; do $cmd --dry_run --num_threads 2 log/x true; done'
    status, told = machine(tmp_path, shown, cmd_backend=backend)
    assert status == 0 and told.count("submit -n 2") == 2
    status, told = machine(tmp_path, shown, cmd_backend=backend, ngpu="1")
    assert status == 1 and "command line option gpu not described in conf/" in told


def test_trainings_side_by_side_take_the_processors_of_their_processes(tmp_path):
    shown = "run_array() { echo \"nj $nj: $*\"; }; train_array train_extractor 'a line'; echo $nj"
    told = machine(tmp_path, shown, num_processes="2")
    assert told == (0, f"nj 2: {OURS} local --requeue true --num_threads 2 train_extractor a line\n4\n")


def test_on_a_cluster_a_training_gets_processors_for_each_of_its_gpus(tmp_path):
    shown = "run_array() { echo \"$*\"; }; train_array train_extractor 'a line'"
    status, told = machine(tmp_path, shown, ngpu="4", num_threads="6", cmd_backend="slurm")
    assert status == 0 and told.endswith(" --num_threads 24 train_extractor a line\n")
    status, told = machine(tmp_path, shown, ngpu="4", num_threads="6")
    assert status == 0 and "--num_threads" not in told


@pytest.mark.parametrize(("nj", "threads"), [("2", "1"), ("12", "3"), ("40", "6")])
def test_threads_that_decide_the_last_bits_are_as_many_on_a_cluster_as_here(tmp_path, nj, threads):
    told = machine(tmp_path, "threads_each 4", nj=nj, num_threads="6", cmd_backend="slurm")
    assert told == (0, f"{threads}\n")
    here = machine(tmp_path, "threads_each 4", nj=nj, num_threads="6")
    assert here == (0, f"{max(1, int(nj) // 4)}\n")
