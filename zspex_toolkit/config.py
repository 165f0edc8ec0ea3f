"""Settings: frozen dataclasses filled from defaults, a YAML file and the command line, checked before anything runs.

A thin wrapper over jsonargparse that adds what it lacks: a misspelt key, at any depth, is one line that names the
nearest known key, and the comment behind a field is its help text.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import json
import os
import re
import signal
import sys
import typing
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

import jsonargparse
import yaml

from zspex_toolkit.errors import ConfigError, UserError

ConfigType = TypeVar("ConfigType")


def parse_args(config_class: type[ConfigType], argv: list[str] | None = None, about: str | None = None) -> ConfigType:
    """Settings of a command: default < ``--config file.yaml`` < ``--key value`` (nested keys have dots).

    Args:
        config_class: frozen dataclass whose fields are the options.
        argv: arguments without the program's name; those of the process if None.
        about: what ``--help`` says first; the text of the module of ``config_class`` if None.

    Raises:
        ConfigError: for an unknown key, a missing one or a value of the wrong type; one line.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    known, former = _known_keys(config_class), getattr(config_class, "FORMER", {})
    options = {**known, "config": None, "help": None, "print_config": None}
    argv = [_as_list(known, *pair) for pair in zip(["", *argv], argv, strict=False)]
    for argument in argv:
        if re.match(r"--[A-Za-z]", argument):
            _check_key(argument[2:].partition("=")[0], options, dashes="--", former=former)
    parser, (files, others) = _parser(config_class, about), _apart(argv)
    for file in files:
        _check_file(Path(file), known, former)
    try:
        # The library lets the last word win; a file must not win over the command line, wherever it stands.
        argv = [*(word for file in files for word in ("--config", file)), *others]
        settings = parser.instantiate(parser.parse_args(argv))
        return config_class(**{field.name: settings[field.name] for field in dataclasses.fields(config_class)})
    except (jsonargparse.ArgumentError, TypeError) as error:
        raise ConfigError(_wrong_value(error, known)) from error


def load_config(config_class: type[ConfigType], path: str | os.PathLike) -> ConfigType:
    """Settings written from :func:`dump_config`.

    Raises:
        ConfigError: if the file is missing, is no YAML or has an unknown key.
    """
    return parse_args(config_class, ["--config", os.fspath(path)])


def to_dict(config: Any) -> dict[str, Any]:
    """The settings as plain YAML types, nested: a list for a tuple, text for a path."""

    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return os.fspath(value)

    return json.loads(json.dumps(config, default=plain))


def dump_config(config: Any) -> str:
    """The settings as YAML text that :func:`load_config` reads back."""
    return yaml.dump(to_dict(config), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def check_options(function: Callable, options: dict[str, Any], where: str) -> None:
    """Refuse options that ``function`` (a network's constructor, say) does not take, and values of another type.

    Its options are its keyword-only parameters; what stands before them is derived, never set.

    Raises:
        ConfigError: naming ``where``, the option and the nearest known one, or the type.
    """
    for name, value in typed_options(function, options, where).items():
        given = tuple(options[name]) if isinstance(options[name], list) else options[name]
        kind = _hints(function).get(name, Any)
        if kind is not Any and value != given:  # the text of a number is none
            raise ConfigError(_expectation(f"{where}.{name}", kind, repr(options[name])))


def typed_options(
    function: Callable, options: dict[str, Any], where: str, *, skip: Collection[str] = ()
) -> dict[str, Any]:
    """The options in the types that ``function`` declares: the text ``"3"`` becomes 3 for an ``int``.

    Args:
        function: its options are its keyword-only parameters; if it has none, those with a default.
        options: values by name.
        where: of the message.
        skip: parameters that are no options.

    Raises:
        ConfigError: as :func:`check_options`.
    """
    parameters = inspect.signature(function).parameters.values()
    known = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    known = known or [parameter.name for parameter in parameters if parameter.default is not parameter.empty]
    known, typed = [name for name in known if name not in skip], {}
    for name, value in options.items():
        _check_key(name, known, where=where)
        kind = _hints(function).get(name, Any)
        parser = jsonargparse.ArgumentParser(exit_on_error=False)
        parser.add_argument(f"--{name}", type=kind)
        try:
            typed[name] = parser.parse_object({name: value})[name]
        except jsonargparse.ArgumentError as error:
            raise ConfigError(_expectation(f"{where}.{name}", kind, repr(value))) from error
        if typed[name] is None and kind is not Any and type(None) not in typing.get_args(kind):
            raise ConfigError(_expectation(f"{where}.{name}", kind, "null"))
    return typed


def run(main: Callable[[], Any]) -> None:
    """Run a command's ``main``: a user's error is one line and status 1 (2 for settings), never a traceback."""
    name = Path(sys.argv[0]).stem
    # A reader that went away (`| head`) ends the command silently, as it does every Unix tool.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        status = main()
    except ConfigError as error:
        sys.exit(_complain(name, error, 2))
    except (UserError, OSError) as error:
        sys.exit(_complain(name, error, 1))
    except KeyboardInterrupt:
        sys.exit(_complain(name, "interrupted", 130))
    sys.exit(status if isinstance(status, int) else 0)


def _complain(name: str, error: Exception | str, status: int) -> int:
    print(f"{name}: {error}", file=sys.stderr)
    return status


def _known_keys(config_class: type, prefix: str = "") -> dict[str, Any]:
    """Every settable key with its type: ``{"mfcc": MfccConfig, "mfcc.fs": int, ...}``."""
    keys: dict[str, Any] = {}
    types = typing.get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        keys[prefix + field.name] = types[field.name]
        if dataclasses.is_dataclass(types[field.name]):
            keys.update(_known_keys(types[field.name], prefix + field.name + "."))
    return keys


def _check_key(key: str, known, *, where: str = "", dashes: str = "", former: dict[str, str] | None = None) -> None:
    (parent, _, entry), where = key.rpartition("."), f"{where}: " if where else ""
    free_form = [name for name in known if typing.get_origin(known[name]) is dict] if isinstance(known, dict) else []
    if key in known or parent in free_form:
        return
    if parent.rpartition(".")[0] in free_form:
        raise ConfigError(f"{dashes}{key}: expected the whole entry, as {dashes}{parent} '{{{entry}: ...}}'")
    if (old := key.partition(".")[0]) in (former or {}):
        raise ConfigError(f"{where}{dashes}{old} is written in another way now: {former[old]}")
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    names = f"expected one of: {', '.join(sorted(known))}" if known else "expected none"
    hint = f"did you mean {dashes}{near[0]}?" if near else names
    raise ConfigError(f"{where}unknown setting {dashes}{key}; {hint}")


def _apart(argv: list[str]) -> tuple[list[str], list[str]]:
    """The files behind ``--config`` or ``--config=``, and all other arguments."""
    files, others, words = [], [], iter(argv)
    for word in words:
        name, _, file = word.partition("=")
        if name != "--config":
            others.append(word)
        elif not (file := file or next(words, "")):
            raise ConfigError("--config: expected a YAML file behind it")
        else:
            files.append(file)
    return files, others


def _check_file(path: Path, known: dict[str, Any], former: dict[str, str]) -> None:
    if not path.is_file():
        raise ConfigError(f"{path}: no such settings file")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not a YAML file: {_one_line(error)}") from error
    if not isinstance(settings, dict | None):
        raise ConfigError(f"{path}: expected 'key: value' lines, got {type(settings).__name__}")
    for key in _flat_keys(settings or {}, known):
        _check_key(key, known, where=str(path), former=former)


def _flat_keys(settings: dict, known: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in settings.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict) and dataclasses.is_dataclass(known.get(f"{prefix}{key}")):
            yield from _flat_keys(value, known, f"{prefix}{key}.")


def _as_list(known: dict[str, Any], option: str, argument: str) -> str:
    """``a,b``, behind an option that takes a list or its ``=``, becomes ``["a", "b"]``; numbers may have blanks.

    The name of a file may hold blanks, and that of a speaker look like a number: they are cut at commas and quoted.
    """
    if argument.startswith("--") and "=" in argument:
        name, _, value = argument.partition("=")
        return f"{name}={_as_list(known, name, value)}"
    kind = known.get(option[2:]) if option.startswith("--") else None
    if typing.get_origin(kind) is not tuple or argument.startswith(("[", "--")):
        return argument
    if set(typing.get_args(kind)) <= {int, float, ...}:
        return "[" + ", ".join(part for part in re.split(r"[,\s]+", argument) if part) + "]"
    return json.dumps(split_names(argument))


def split_names(text: str) -> list[str]:
    """The names between commas; a comma that belongs to the name of a file or folder that is there cuts nothing."""
    parts, names = text.split(","), []
    while parts:
        ends = range(len(parts), 1, -1)
        end = next((end for end in ends if os.path.exists(",".join(parts[:end]).strip())), 1)
        names.append(",".join(parts[:end]).strip())
        del parts[:end]
    return [name for name in names if name]


def _parser(config_class: type, about: str | None) -> jsonargparse.ArgumentParser:
    about = about or getattr(inspect.getmodule(config_class), "__doc__", None)
    formatter = jsonargparse.DefaultHelpFormatter
    parser = jsonargparse.ArgumentParser(description=about, exit_on_error=False, formatter_class=formatter)
    parser.add_argument("--config", action="config", help="YAML file of these settings; the command line wins")
    parser.add_class_arguments(config_class)
    comments = _comments(config_class)
    for action in parser._actions:
        if not action.help and action.dest in comments:
            action.help = comments[action.dest]
    return parser


def _comments(config_class: type, prefix: str = "") -> dict[str, str]:
    comments = {}
    types = typing.get_type_hints(config_class)
    source = inspect.getsource(config_class)
    for field in dataclasses.fields(config_class):
        comment = re.search(rf"^\s+{field.name}:[^#\n]*#\s*(.+)$", source, re.MULTILINE)
        if comment:
            comments[prefix + field.name] = comment.group(1)
        if dataclasses.is_dataclass(types[field.name]):
            comments.update(_comments(types[field.name], prefix + field.name + "."))
    return comments


def _one_line(error: Exception) -> str:
    return re.sub(r"\s*\n\s*", " ", str(error)).strip()


def _wrong_value(error: Exception, known: dict[str, Any]) -> str:
    """One line on a value of the wrong type; the library speaks of parser keys and classes."""
    text = _one_line(error)
    wrong = re.match(r'Parser key "([\w.]+)":.*[Vv]alue: (.*)$', text)
    if not wrong or wrong[1] not in known:
        return text
    return _expectation(f"--{wrong[1]}", known[wrong[1]], f"'{wrong[2]}'")


def _expectation(where: str, kind: Any, found: str) -> str:
    names = {"int": "a whole number", "float": "a finite number", "bool": "true or false", "Path": "a path"}
    plain = isinstance(kind, type) and typing.get_origin(kind) is None
    kinds = re.findall(r"\b(int|float|bool|Path|str)\b", kind.__name__ if plain else str(kind))
    expected = " or ".join(dict.fromkeys(names.get(name, name) for name in kinds))
    several = "a list, each " if typing.get_origin(kind) is tuple else ""
    return f"{where}: expected {several}{expected}, got {found}"


def _hints(function: Callable) -> dict[str, Any]:
    return typing.get_type_hints(function.__init__ if inspect.isclass(function) else function)


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes unless it is plainly a word or a path.

    A speaker may be called 1e5, 0x1 or on; readers differ in what else than text they see in such names.
    """

    def represent_text(self, text: str) -> yaml.ScalarNode:
        plain = re.fullmatch(r"[A-Za-z/][A-Za-z0-9_./-]*", text) and text.lower() not in _NOT_TEXT
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _Dumper.represent_text)
_NOT_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf", "infinity"}
