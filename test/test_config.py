"""Settings come from defaults, YAML and the command line, and a misspelt one is named with its neighbour."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from zspex_toolkit.config import check_options, dump_config, load_config, parse_args, to_dict
from zspex_toolkit.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    max_epoch: int = 1
    betas: tuple[float, float] = (0.9, 0.99)


@dataclass(frozen=True)
class Config:
    data: Path  # the data directory
    inner: Inner = Inner()
    snrs_db: tuple[float, ...] = (0.0,)
    scale: dict[str, float] = field(default_factory=dict)
    flag: bool = False
    gain_db: float | None = None


def test_the_command_line_wins_over_yaml_and_yaml_over_the_default(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("data: x\nflag: true\ninner:\n  max_epoch: 2\n")
    config = parse_args(Config, ["--config", str(path), "--inner.max_epoch", "3"])
    assert (config.inner.max_epoch, config.flag, config.gain_db) == (3, True, None)


@pytest.mark.parametrize("text", ["-5,0,5", "-5 0 5", "[-5, 0, 5]"])
def test_a_list_is_written_with_commas_blanks_or_brackets(text):
    assert parse_args(Config, ["--data", "x", f"--snrs_db={text}"]).snrs_db == (-5.0, 0.0, 5.0)


def test_a_list_may_stand_behind_its_option():
    assert parse_args(Config, ["--data", "x", "--snrs_db", "5,0"]).snrs_db == (5.0, 0.0)


def test_a_negative_number_is_a_value():
    assert parse_args(Config, ["--data", "x", "--gain_db", "-5"]).gain_db == -5.0


def test_an_entry_of_a_free_form_option_has_a_dot():
    assert parse_args(Config, ["--data", "x", "--scale.embedder", "0.3"]).scale == {"embedder": 0.3}


def test_written_settings_read_back_equal(tmp_path):
    config = parse_args(Config, ["--data", "x", "--inner.betas", "[0.5,0.6]", "--scale", "{a: 0.5}"])
    (tmp_path / "c.yaml").write_text(dump_config(config))
    assert load_config(Config, tmp_path / "c.yaml") == config
    assert to_dict(config)["inner"] == {"max_epoch": 1, "betas": [0.5, 0.6]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--data", "x", "--inner.max_epochs", "2"],
            "unknown setting --inner.max_epochs; did you mean --inner.max_epoch?",
        ),
        (["--data", "x", "--flagg", "true"], "unknown setting --flagg; did you mean --flag?"),
        (["--data", "x", "--flagg=true"], "unknown setting --flagg; did you mean --flag?"),
        ([], "the following arguments are required: data"),
        (
            ["--data", "x", "--inner.max_epoch", "q"],
            "--inner.max_epoch: expected a whole number, got 'q'",
        ),
        (["--data", "x", "--gain_db", "inf"], "--gain_db: expected a finite number, got 'inf'"),
        (["--data", "x", "--snrs_db", "0,inf"], "--snrs_db: expected a list, each a finite number, got 'inf'"),
        (["--data", "x", "stray"], "unrecognized arguments: stray"),
    ],
)
def test_a_wrong_argument_is_one_clear_line(arguments, message):
    with pytest.raises(ConfigError) as error:
        parse_args(Config, arguments)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: x\ninner:\n  max_epochs: 2\n", "unknown setting inner.max_epochs; did you mean inner.max_epoch?"),
        ("dat: x\n", "unknown setting dat; did you mean data?"),
        ("- x\n", "expected 'key: value' lines, got list"),
    ],
)
def test_a_wrong_key_in_yaml_names_the_file(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        parse_args(Config, ["--config", str(path)])
    assert str(error.value) == f"{path}: {message}"


def test_a_missing_settings_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no such settings file"):
        parse_args(Config, ["--config", str(tmp_path / "none.yaml")])


def test_an_option_that_a_constructor_does_not_take_is_named():
    def network(width: int = 1, depth: int = 2):
        return width * depth

    check_options(network, {"width": 3}, "model.options")
    with pytest.raises(ConfigError, match=r"model.options: unknown setting widht; did you mean width\?"):
        check_options(network, {"widht": 3}, "model.options")


COMMAND = """
import sys
from dataclasses import dataclass
from zspex_toolkit.config import parse_args, run
from zspex_toolkit.errors import UserError
@dataclass(frozen=True)
class Config:
    fault: str = ""
def main(argv=None):
    config = parse_args(Config, argv)
    if config.fault == "user":
        raise UserError("data/a:3: expected two fields, got one")
    if config.fault == "file":
        open("/nonexistent/file")
    if config.fault == "bug":
        raise KeyError("bug")
if __name__ == "__main__":
    run(main)
"""


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 0, ""),
        (["--fault", "user"], 1, "command: data/a:3: expected two fields, got one\n"),
        (["--fault", "file"], 1, "command: [Errno 2] No such file or directory: '/nonexistent/file'\n"),
        (["--falt", "user"], 2, "command: unknown setting --falt; did you mean --fault?\n"),
    ],
)
def test_a_command_ends_with_one_line_and_a_status(tmp_path, arguments, status, message):
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, message)


def test_a_bug_keeps_its_traceback(tmp_path):
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    done = subprocess.run([sys.executable, script, "--fault", "bug"], capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" in done.stderr
