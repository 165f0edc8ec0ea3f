import re

import pytest

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.launch.queue_config import parse_config, read_config, submit_flags

# As many sites have it from Kaldi and ESPnet.
SITE = """\
# Default configuration
command qsub -v PATH -cwd -S /bin/bash -j y -l arch=*64*
option mem=* -l mem_free=$0,ram_free=$0
option mem=0          # Do not add anything to qsub_opts
option num_threads=* -pe smp $0
option num_threads=1  # Do not add anything to qsub_opts
option max_jobs_run=* -tc $0

default gpu=0
option gpu=0
option gpu=* -l gpu=$0 -q g.q
option stage=*
"""


def test_the_command_is_taken_as_it_stands():
    assert parse_config(SITE, "x").command == "qsub -v PATH -cwd -S /bin/bash -j y -l arch=*64*"


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ([("mem", "4G")], ["-l mem_free=4G,ram_free=4G"]),  # the value stands wherever the line has $0
        ([("mem", "0"), ("num_threads", "1")], []),  # an exact value comes before the star and may have no flags
        ([("num_threads", "4")], ["-pe smp 4"]),  # the default of gpu counts, and has no flags
        ([("gpu", "2")], ["-l gpu=2 -q g.q"]),
        ([("mem", "4G"), ("mem", "0")], []),  # the last value counts
        ([("-l", "a=1"), ("-V", ""), ("-l", "b=2")], ["-l a=1", "-V", "-l b=2"]),  # the queue's own switches, all
        # Our own options are not looked for.
        ([("backend", "sge"), ("config", "x"), ("num_tries", "3"), ("pick", "all"), ("stage", "7")], []),
        ([("mem", "a b;c")], ["-l mem_free='a b;c',ram_free='a b;c'"]),  # one word for the shell
    ],
)
def test_a_configuration_of_queue_pl_gives_its_flags(options, flags):
    assert submit_flags(parse_config(SITE, "conf/queue.conf"), options) == flags


# The grammar as slurm.pl reads it: a value twice in a line, flags without it, limits that are only allowed.
SLURM_SITE = """\
command sbatch --export=PATH
option mem=* --mem-per-cpu $0
option num_threads=* --cpus-per-task $0
option num_threads=1 --cpus-per-task 1
option num_nodes=* --nodes $0
option time=* --time $0
default gpu=0
option gpu=0 -p cpu
option gpu=* -p gpu --gres=gpu:$0 -c $0  # no fewer processors than GPUs
option long=* -p long

default cpu_limit=200
option cpu_limit=*
"""


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "-p cpu"),
        ({"gpu": "2", "mem": "1G"}, "-p gpu --gres=gpu:2 -c 2 --mem-per-cpu 1G"),
        ({"num_threads": "1"}, "-p cpu --cpus-per-task 1"),
        ({"num_threads": "3", "num_nodes": "2", "time": "1-0"}, "-p cpu --cpus-per-task 3 --nodes 2 --time 1-0"),
        ({"long": "yes", "cpu_limit": "7"}, "-p cpu -p long"),
    ],
)
def test_a_configuration_of_slurm_pl_gives_its_flags(options, line):
    assert " ".join(submit_flags(parse_config(SLURM_SITE, "conf/slurm.conf"), list(options.items()))) == line


@pytest.mark.parametrize(
    ("text", "option", "value"), [(SITE, "time", "1:00"), ("command sbatch\noption gpu=0", "gpu", "1")]
)
def test_an_option_or_a_value_that_is_not_described_is_named(text, option, value):
    message = f"command line option {option} not described in conf/x (or value '{value}' not allowed)"
    with pytest.raises(ConfigError, match=re.escape(message)):
        submit_flags(parse_config(text, "conf/x"), [(option, value)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("command c\nopton a=1", "x:2: unable to parse line 'opton a=1'; expected 'command ...'"),
        ("option a=1", 'x does not contain the line "command ..."'),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(text, message):
    with pytest.raises(ConfigError) as error:
        parse_config(text, "x")
    assert message in str(error.value)


def test_the_file_asked_for_must_be_there_and_the_usual_one_need_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_config(None, "usual.conf", "command built_in").command == "built_in"
    (tmp_path / "usual.conf").write_text("command usual\n")
    assert read_config(None, "usual.conf", "command built_in").command == "usual"
    with pytest.raises(ConfigError, match=r"cannot read the queue's configuration mine\.conf: No such file"):
        read_config("mine.conf", "usual.conf", "command built_in")
