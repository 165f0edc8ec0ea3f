"""Settings come from defaults, YAML and the command line, and a misspelt one is named with its neighbour."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from zspex_toolkit.config import (
    check_options,
    dump_config,
    load_config,
    parse_args,
    split_names,
    to_dict,
    typed_options,
)
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


@dataclass(frozen=True)
class Files:
    names: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    scale: dict[str, float] = field(default_factory=dict)


@pytest.mark.parametrize("file", [["--config", "c.yaml"], ["--config=c.yaml"]])
def test_the_command_line_wins_over_yaml_wherever_it_stands_and_yaml_over_the_default(tmp_path, monkeypatch, file):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text("data: x\ninner:\n  max_epoch: 2\nscale: {a: 0.5}\n")
    for argv in (["--inner.max_epoch", "3", *file, "--flag", "true"], [*file, "--inner.max_epoch=3", "--flag=true"]):
        config = parse_args(Config, argv)
        assert (config.inner.max_epoch, config.flag, config.scale) == (3, True, {"a": 0.5})
        assert config.gain_db is None


def test_of_two_files_the_later_wins(tmp_path):
    (tmp_path / "a.yaml").write_text("data: a\nflag: true\n")
    (tmp_path / "b.yaml").write_text("data: b\n")
    config = parse_args(Config, ["--config", f"{tmp_path}/a.yaml", f"--config={tmp_path}/b.yaml"])
    assert (config.data, config.flag) == (Path("b"), True)


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["--snrs_db=-5,0,5"], "snrs_db", (-5.0, 0.0, 5.0)),
        (["--snrs_db=-5 0 5"], "snrs_db", (-5.0, 0.0, 5.0)),
        (["--snrs_db=[-5, 0, 5]"], "snrs_db", (-5.0, 0.0, 5.0)),
        (["--snrs_db", "5,0"], "snrs_db", (5.0, 0.0)),
        (["--gain_db", "-5"], "gain_db", -5.0),
        (["--scale.embedder", "0.3"], "scale", {"embedder": 0.3}),
    ],
)
def test_lists_negative_numbers_and_entries_of_free_form_options_are_values(argv, name, value):
    assert getattr(parse_args(Config, ["--data", "x", *argv]), name) == value


def test_a_list_of_files_has_commas_as_their_names_may_hold_blanks():
    assert parse_args(Files, ["--files", "my voice.wav"]).files == (Path("my voice.wav"),)
    assert parse_args(Files, ["--files=my voice.wav, #1: b.wav"]).files == (Path("my voice.wav"), Path("#1: b.wav"))


@pytest.mark.parametrize("names", [["1e5", "0012", "on"], ["null", "~"], ["1:30"]])
def test_a_name_in_a_list_stays_text_whatever_it_looks_like(names):
    assert parse_args(Files, ["--names", ",".join(names)]).names == tuple(names)


def test_written_settings_read_back_equal(tmp_path):
    config = parse_args(Config, ["--data", "x", "--inner.betas", "[0.5,0.6]", "--scale", "{a: 0.5}"])
    (tmp_path / "c.yaml").write_text(dump_config(config))
    assert load_config(Config, tmp_path / "c.yaml") == config
    assert to_dict(config)["inner"] == {"max_epoch": 1, "betas": [0.5, 0.6]}


TEXTS = ["1e5", "12e3", "1e+5", "0x1", "1_000", "on", "y", "null", "~", "1:30", "0012", ".5", "", " a", "=", "a: b"]


@pytest.mark.parametrize("text", [*TEXTS, "#1"])
def test_a_name_that_looks_like_something_else_reads_back_as_text(tmp_path, text):
    config = Files(names=(text,), files=(), scale={text: 0.5})
    (tmp_path / "c.yaml").write_text(dump_config(config))
    assert load_config(Files, tmp_path / "c.yaml") == config


@settings(max_examples=40, deadline=None)
@given(
    strategies.lists(
        strategies.one_of(
            strategies.from_regex(r"[-+.]?[0-9eExob_:.+-]{1,6}", fullmatch=True),
            strategies.text(strategies.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
        ),
        max_size=4,
    )
)
def test_any_names_of_speakers_read_back_equal(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("names") / "c.yaml"
    path.write_text(dump_config(Files(names=tuple(names))), encoding="utf-8")
    assert load_config(Files, path).names == tuple(names)


def test_words_and_paths_are_written_without_quotes():
    assert dump_config(Files(names=("ada",), files=(Path("/data/tr-1.5"),))).startswith(
        "names:\n- ada\nfiles:\n- /data/tr-1.5\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "x", "--config"], "--config: expected a YAML file behind it"),
        (["--config=none.yaml"], "none.yaml: no such settings file"),
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
    for arguments in (["--config", str(path)], [f"--config={path}"]):
        with pytest.raises(ConfigError) as error:
            parse_args(Config, arguments)
        assert str(error.value) == f"{path}: {message}"


class Network:
    def __init__(
        self, dim: int, *, channels: int = 3, scale: float = 0.5, norm: bool = False, sizes: tuple[int, ...] = ()
    ):
        self.width = dim * channels


def test_options_of_the_right_type_pass():
    check_options(Network, {"channels": 4, "scale": 1, "norm": True, "sizes": [1, 2]}, "network_options")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": "abc"}, "network_options.channels: expected a whole number, got 'abc'"),
        ({"channels": "12"}, "network_options.channels: expected a whole number, got '12'"),
        ({"channels": 2.5}, "network_options.channels: expected a whole number, got 2.5"),
        ({"channels": None}, "network_options.channels: expected a whole number, got null"),
        ({"scale": "x"}, "network_options.scale: expected a finite number, got 'x'"),
        ({"norm": 3}, "network_options.norm: expected true or false, got 3"),
        ({"sizes": [1, "b"]}, "network_options.sizes: expected a list, each a whole number, got [1, 'b']"),
        ({"dim": 3}, "network_options: unknown setting dim; expected one of: channels, norm, scale, sizes"),
        ({"chanels": 3}, "network_options: unknown setting chanels; did you mean channels?"),
    ],
)
def test_an_option_that_is_unknown_or_of_another_type_is_one_clear_line(options, message):
    with pytest.raises(ConfigError) as error:
        check_options(Network, options, "network_options")
    assert str(error.value) == message


def test_an_option_without_a_declared_type_may_be_anything_and_what_is_derived_is_none():
    for value in ("12", 12, None, ["a"]):
        check_options(lambda *, anything=None: None, {"anything": value}, "options")
        check_options(lambda anything=None: None, {"anything": value}, "options")
    with pytest.raises(ConfigError, match="options: unknown setting dim; expected none"):
        check_options(lambda dim: None, {"dim": 3}, "options")


def test_typed_options_take_text_and_leave_out_what_is_skipped():
    assert typed_options(Network, {"channels": "12", "norm": "true"}, "o") == {"channels": 12, "norm": True}
    with pytest.raises(ConfigError, match=r"o: unknown setting scale; expected one of: channels, norm, sizes"):
        typed_options(Network, {"scale": 1.0}, "o", skip=["scale"])


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
        ([], 0, r"\Z"),
        (["--fault", "user"], 1, r"command: data/a:3: expected two fields, got one\n\Z"),
        (["--fault", "file"], 1, r"command: \[Errno 2\] No such file or directory: '/nonexistent/file'\n\Z"),
        (["--falt", "user"], 2, r"command: unknown setting --falt; did you mean --fault\?\n\Z"),
        (["--fault", "bug"], 1, "Traceback"),
    ],
)
def test_a_command_ends_with_a_status_and_one_line_but_for_a_bug(tmp_path, arguments, status, message):
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)
    assert done.returncode == status and re.match(message, done.stderr)


def test_a_comma_in_the_name_of_a_file_that_is_there_cuts_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("interview, part 2.wav", "a.wav", "b.wav", "x,y,z"):
        (tmp_path / name).touch()
    assert split_names("interview, part 2.wav") == ["interview, part 2.wav"]
    assert split_names("a.wav,interview, part 2.wav , b.wav") == ["a.wav", "interview, part 2.wav", "b.wav"]
    assert split_names("x,y,z,a.wav") == ["x,y,z", "a.wav"]
    assert split_names("a.wav, b.wav,,c.wav,") == ["a.wav", "b.wav", "c.wav"]
