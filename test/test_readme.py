"""What the pages tell a reader to type exists, and what they link to is there."""

import os
import re
import shlex
from pathlib import Path

import pytest

from zspex_toolkit.config import parse_args
from zspex_toolkit.launch import contract
from zspex_toolkit.registry import available, load_module

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL_ONLY = {"source", "export", "cd", "cat", "cmp", "(", ")"}


def commands(page: Path) -> list[list[str]]:
    """Words of every command line in a page's ``bash`` blocks, comments removed."""
    blocks = re.findall(r"^```bash\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [words for words in (shlex.split(line, comments=True) for line in lines) if words]


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)#\s]*(?:#[^)\s]*)?)\)", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page looks like, by GitHub's rule."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def recipe_options(script: str) -> set[str]:
    """Options of ``egs/common/{tse,demix}.sh``, which every ``run.sh`` hands its own to."""
    task = "tse" if "/tse" in script else "demix"
    text = (ROOT / f"egs/common/{task}.sh").read_text(encoding="utf-8")
    block = text[text.index("# Options") : text.index("# End of options")]
    return {"config", "help", *re.findall(r"^([a-z_0-9]+)=", block, re.MULTILINE)}


def paths(page: Path) -> list[str]:
    """Files of the repository that a page names in code spans, as they stand."""
    spans = re.findall(r"`((?:docs|egs|test|tools|zspex_toolkit)/[\w./-]*)`", page.read_text(encoding="utf-8"))
    return sorted({span for span in spans if "/exp/" not in span})  # experiments are made by running a recipe


def every(of) -> list:
    return [pytest.param(page, item, id=f"{page.name}: {item}") for page in PAGES for item in of(page)]


@pytest.mark.parametrize(("page", "words"), every(commands))
def test_every_command_exists_and_takes_its_options(page, words):
    if words[0] in SHELL_ONLY:
        return
    if words[:2] == ["python", "-m"]:
        package, _, name = words[2].rpartition(".")
        assert package == "zspex_toolkit.bin"
        words = words[2:]
    elif words[0] == "zspex":
        name, words = words[1], words[1:]
    else:
        script = ROOT / words[0]
        assert os.access(script, os.X_OK), f"{words[0]} is no script that can be run"
        if words[0].startswith("egs/"):
            given = {word[2:] for word in words if word.startswith("--") and " " not in word}
            assert given <= recipe_options(words[0])
        return
    assert name in available("bin")
    if name == "run_jobs":  # it reads its own command line
        assert contract.parse(words[1:]).command
        return
    parse_args(load_module("bin", name).Config, words[1:])


@pytest.mark.parametrize(("page", "link"), every(links))
def test_every_link_leads_somewhere(page, link):
    if re.match(r"https?://", link):
        return
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.exists()
    if anchor:
        assert anchor in anchors(target)


@pytest.mark.parametrize(("page", "path"), every(paths))
def test_every_file_that_is_named_is_there(page, path):
    assert (ROOT / path).exists()


def test_the_first_screen_of_the_readme_has_both_commands():
    screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:25])
    for command in ("egs/mini/tse1/run.sh", "zspex extract --mixture", "test/run.sh"):
        assert command in screen
