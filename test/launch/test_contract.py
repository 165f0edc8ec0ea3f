import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.launch.contract import literal, parse, quote


def test_the_job_variable_is_replaced_textually_in_command_and_log():
    jobs = parse(["JOB=2:3", "log/x.JOB.log", "echo", "partJOB", "JOB"])
    assert [jobs.fill(jobs.command, number) for number in jobs.numbers] == ["echo part2 2", "echo part3 3"]
    assert [str(jobs.log_of(number)) for number in jobs.numbers] == ["log/x.2.log", "log/x.3.log"]


def test_the_job_variable_is_any_identifier_and_may_name_one_job():
    jobs = parse(["N=7", "log/N", "echo", "N"])
    assert list(jobs.numbers) == [7]
    assert jobs.fill(jobs.command, 7) == "echo 7"


def test_options_stand_before_or_after_the_range_with_dashes_or_underscores():
    given = "--num-threads 4 --mem 4G JOB=1:2 --gpu 1 --max_jobs_run 5 -q all.q log/JOB echo"
    jobs = parse(given.split())
    assert (jobs.num_threads, jobs.gpu, jobs.max_jobs_run) == (4, 1, 5)
    assert jobs.options == (("num_threads", "4"), ("mem", "4G"), ("gpu", "1"), ("max_jobs_run", "5"), ("-q", "all.q"))


def test_options_of_the_command_are_left_to_it():
    jobs = parse(["log/x", "train", "--num_threads", "3", "JOB=1:2"])
    assert jobs.command == "train --num_threads 3 JOB=1:2"
    assert jobs.num_threads == 1


def test_a_job_may_be_started_again_only_if_that_is_said():
    assert [parse([*given, "x", "c"]).requeue for given in ((), ("--requeue", "true"), ("--requeue", "false"))] == [
        *(False, True, False)
    ]


def test_of_two_limits_the_smaller_counts():
    assert parse(["-tc", "3", "--max_jobs_run", "8", "log/x", "echo"]).max_jobs_run == 3


def test_arguments_are_raw_without_blanks_and_quoted_with():
    assert parse(["log/x", "echo", "a b", "|", "wc", 'x "y"', ""]).command == """echo "a b" | wc 'x "y"' \"\""""


def test_both_kinds_of_quotes_survive():
    argument = """it's "so" here"""
    assert subprocess.check_output(["bash", "-c", "printf %s " + quote(argument)], text=True) == argument


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("JOB=0:4 log/JOB echo", "invalid job range JOB=0:4: start must be strictly positive"),
        ("JOB=4:2 log/JOB echo", "invalid job range JOB=4:2: start is after end"),
        ("JOB=1:nj log/JOB echo", "invalid job range JOB=1:nj: expected NAME=FIRST:LAST"),
        ("JOB=1:4 log/x.log echo", "you are putting the output into just one log file (log/x.log)"),
        ("JOB=1:4 log/JOB", "no log or no command given"),
        ("--max_job_run 3 log/x echo", "unknown option --max_job_run; did you mean --max_jobs_run?"),
        ("--gpu yes log/x echo", "option --gpu: expected a number of at least 0, got 'yes'"),
        ("--num_threads 0 log/x echo", "option --num_threads: expected a number of at least 1, got '0'"),
        ("--num_tries 0 log/x echo", "option --num_tries: expected a number of at least 1, got '0'"),
        ("--num_nodes two log/x echo", "option --num_nodes: expected a number of at least 1, got 'two'"),
        ("--pick some log/x echo", "option --pick: expected one of all, failed, incomplete, got 'some'"),
        ("--requeue 3 x c", "option --requeue: expected true or false, got '3'"),
        ("--mem", "option --mem has no value"),
    ],
)
def test_what_breaks_the_contract_is_named(argv, message):
    with pytest.raises(ConfigError) as error:
        parse(argv.split())
    assert message in str(error.value)


def test_one_job_needs_no_number_in_its_log_name():
    assert str(parse(["JOB=3:3", "log/x.log", "echo", "JOB"]).log_of(3)) == "log/x.log"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_literal_argument_has_no_blanks_and_comes_back_from_bash_as_it_was(argument):
    written = quote(literal(argument))
    assert not any(blank in written for blank in " \t\n\r\v\f")
    echoed = subprocess.check_output(["bash", "-c", "printf '%s.' " + written], env={"LC_ALL": "C.UTF-8"})
    assert echoed == (argument + ".").encode()
