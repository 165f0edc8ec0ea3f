"""Option files of feature commands: Kaldi's ``--option=value`` a line, or YAML, into a settings dataclass.

Kaldi's grammar: ``#`` starts a comment, blanks around are ignored, ``--option`` alone is true, and in names ``_`` is
``-``. A YAML file (``.yaml``, ``.yml``) holds ``setting: value`` with the names of the dataclass.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.number_text import decimal

ConfigType = TypeVar("ConfigType")
_TRUTH = {"true": True, "t": True, "1": True, "": True, "false": False, "f": False, "0": False}


def read_options(path: Path, config_class: type[ConfigType]) -> ConfigType:
    """Settings from the option file at ``path``; what it leaves out keeps the default of ``config_class``.

    Args:
        path: the file.
        config_class: frozen dataclass of numbers, strings and truth values, with ``KALDI_NAMES``, Kaldi's option ->
            field, and perhaps ``WITHOUT_EFFECT``, options of Kaldi's that are accepted with the given value only.

    Raises:
        ConfigError: for a missing file, and with ``file:line`` for an unknown option or a bad value.
    """
    text = _text(path)
    is_yaml = path.suffix in (".yaml", ".yml")
    hints, without_effect = typing.get_type_hints(config_class), getattr(config_class, "WITHOUT_EFFECT", {})
    types = {field.name: hints[field.name] for field in dataclasses.fields(config_class)}
    names = {name: name for name in types} if is_yaml else config_class.KALDI_NAMES
    values: dict[str, Any] = {}
    for line, name, value in _yaml_lines(path, text) if is_yaml else _kaldi_lines(path, text):
        where = f"{path}:{line}"
        if not is_yaml and name in without_effect:
            if value != without_effect[name]:
                raise ConfigError(f"{where}: --{name}={value} is not supported, only {without_effect[name]}")
            continue
        if name not in names:
            raise ConfigError(f"{where}: unknown option {_spelt(name, is_yaml)}; {_hint(name, is_yaml, names)}")
        values[names[name]] = _typed(types[names[name]], value, f"{where}: {_spelt(name, is_yaml)}")
    try:
        return config_class(**values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def kaldi_option_text(config: Any) -> str:
    """All settings in Kaldi's own form, one option a line.

    >>> from zspex_toolkit.signal.front_end_config import VadConfig
    >>> kaldi_option_text(VadConfig()).splitlines()[2]
    '--vad-frames-context=2'
    """
    lines = []
    for name, field in config.KALDI_NAMES.items():
        value = getattr(config, field)
        lines.append(f"--{name}={str(value).lower() if isinstance(value, bool) else value}\n")
    return "".join(lines)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) else "not a text file"
        raise ConfigError(f"{path}: cannot read the option file: {reason}") from error


def _kaldi_lines(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        option = line.partition("#")[0].strip()
        if not option:
            continue
        if not option.startswith("--"):
            raise ConfigError(f"{path}:{number}: expected '--option=value', got '{option}'")
        name, _, value = option[2:].partition("=")
        yield number, name.strip().lower().replace("_", "-"), value.strip()


def _yaml_lines(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not a YAML file: {' '.join(str(error).split())}") from error
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{path}:{node.start_mark.line + 1}: expected 'setting: value' lines")
    for key, value in node.value:
        number = key.start_mark.line + 1
        if not isinstance(value, yaml.ScalarNode):
            raise ConfigError(f"{path}:{number}: {key.value}: expected one value")
        yield number, key.value, value.value


def _typed(kind: type, text: str, where: str) -> Any:
    try:
        if kind is bool:
            return _TRUTH[text.lower()]
        if kind is int:
            number = decimal(text)
            if number != int(number):
                raise ValueError
            return int(number)
        return decimal(text) if kind is float else kind(text)
    except (KeyError, ValueError, OverflowError) as error:
        expected = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise ConfigError(f"{where}: expected {expected}, got '{text}'") from error


def _spelt(name: str, is_yaml: bool) -> str:
    return name if is_yaml else f"--{name}"


def _hint(name: str, is_yaml: bool, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"did you mean {_spelt(near[0], is_yaml)}?"
    return f"known are {', '.join(_spelt(known_name, is_yaml) for known_name in known)}"
