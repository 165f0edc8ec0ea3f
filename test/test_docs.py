"""The pages list every option and field that exists, once, and none that does not."""

import dataclasses
import re
import typing
from pathlib import Path

import pytest

from zspex_toolkit.registry import available, load, load_module
from zspex_toolkit.report.demixing.scores import Score
from zspex_toolkit.signal.front_end_config import MfccConfig, VadConfig
from zspex_toolkit.tasks import classification, demixing, embedding, extraction_loss
from zspex_toolkit.tasks.losses import inputs_of

ROOT = Path(__file__).parents[1]
# These two read their own command line; their options are in docs/jobs.md and `zspex --help`.
WITHOUT_SETTINGS = {"run_jobs", "zspex"}
COMMANDS = [name for name in available("bin") if name not in WITHOUT_SETTINGS]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level or above."""
    level = heading.index(" ")
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"no heading '{heading}'"
    return found[1]


def first_cells(text: str) -> list[str]:
    """Names in the first column of a section's tables: `a`, or several in one cell."""
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def own_options(config_class: type) -> list[str]:
    types = typing.get_type_hints(config_class)
    return [item.name for item in dataclasses.fields(config_class) if not dataclasses.is_dataclass(types[item.name])]


def nested_settings() -> dict[str, type]:
    """Groups of settings with dots by heading: ``{"`--train.`": TrainConfig, ...}``.

    Commands may have groups of one name and other settings: "`--draw.` of train_demixers".
    """
    groups: dict[str, dict[str, type]] = {}
    for name in COMMANDS:
        for key, kind in typing.get_type_hints(load_module("bin", name).Config).items():
            if dataclasses.is_dataclass(kind):
                groups.setdefault(key, {})[name] = kind
    headings = {}
    for key, kinds in groups.items():
        differ = len(set(kinds.values())) > 1
        headings |= {f"`--{key}.`" + (f" of {name}" if differ else ""): kind for name, kind in kinds.items()}
    return headings


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_in_its_table(name):
    documented = first_cells(section(page("commands.md"), f"### {name}"))
    assert documented == [f"--{option}" for option in own_options(load_module("bin", name).Config)]


@pytest.mark.parametrize("heading", sorted(nested_settings()))
def test_every_setting_with_a_dot_is_in_its_table(heading):
    documented = first_cells(section(page("commands.md"), f"### {heading}"))
    group = heading.split("`")[1]
    assert documented == [f"{group}{option}" for option in own_options(nested_settings()[heading])]


def cells(text: str, heading: str) -> list[list[str]]:
    """Rows of the table whose first column has this heading."""
    table = text[text.index(f"| {heading} |") :].split("\n\n")[0]
    return [[cell.strip(" `") for cell in line[1:-1].split("|")] for line in table.splitlines()[2:]]


def test_every_loss_is_told_with_what_it_takes_and_its_options():
    told = cells(section(page("commands.md"), "### Losses of a training"), "loss")
    assert [row[0] for row in told] == available("losses")
    for name, takes, options, _ in told:
        loss = load("losses", name)
        assert takes.split(", ") == list(inputs_of(loss))
        defaults = loss.__kwdefaults__ or {}
        shown = {
            key: ", ".join(f"{x:g}" for x in v) if isinstance(v, tuple) else f"{v:g}" for key, v in defaults.items()
        }
        assert dict(option.split(" ", 1) for option in options.split("; ") if option) == shown


def test_every_tensor_that_a_task_offers_to_losses_is_told():
    tasks = {"extractor": extraction_loss, "embedder": embedding, "classifier": classification, "demixers": demixing}
    offered = [
        [f"train_{task}", name, f"({', '.join(offer.shape)}{',' * (len(offer.shape) == 1)})", offer.meaning]
        for task, module in tasks.items()
        for name, offer in module.OFFERS.items()
    ]
    assert cells(section(page("commands.md"), "### Losses of a training"), "task") == offered


def test_no_command_is_documented_that_does_not_exist():
    headings = re.findall(r"^### (\w+)$", page("commands.md"), re.MULTILINE)
    assert sorted(headings) == sorted(COMMANDS)


@pytest.mark.parametrize(
    ("script", "heading"),
    [
        ("tse.sh", "## Options of target speaker extraction"),
        ("demix.sh", "## Options of de-mixing"),
        ("asr.sh", "## Options of speech recognition"),
    ],
)
def test_every_option_of_the_recipes_is_in_their_table(script, heading):
    text = (ROOT / "egs/common" / script).read_text(encoding="utf-8")
    block = text[text.index("# Options") : text.index("# End of options")]
    options = re.findall(r"^([a-z_0-9]+)=", block, re.MULTILINE)
    documented = [name for name in first_cells(section(page("recipes.md"), heading)) if name.startswith("--")]
    assert sorted(documented) == sorted(f"--{option}" for option in options)


@pytest.mark.parametrize("config_class", [MfccConfig, VadConfig])
def test_every_option_of_the_features_is_told_in_kaldis_words_and_ours_with_its_default(config_class):
    rows = [line.strip("| ").split(" | ") for line in page("data_format.md").splitlines() if line.startswith("| `--")]
    told = {row[0]: (row[1], row[2]) for row in rows}
    for kaldi_name, name in config_class.KALDI_NAMES.items():
        default = getattr(config_class(), name)
        shown = str(default).lower() if isinstance(default, (bool, str)) else f"{default:g}"
        field, found = told[f"`--{kaldi_name}`"]
        assert (field, found.split(" ")[0]) == (f"`{name}`", shown)


def test_every_field_of_the_scores_is_told():
    fields = {item.name for item in dataclasses.fields(Score)} - {"path"}
    assert set(first_cells(section(page("data_format.md"), "## Scores"))) >= fields
