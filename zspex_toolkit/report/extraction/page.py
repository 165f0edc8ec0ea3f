"""The page to listen to: one HTML file with players, spectrograms, figures and tables, that loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2

from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.report.extraction.audio import RANGE_DB, png_uri
from zspex_toolkit.report.extraction.cases import ABSENT_RULE, RULE, Folders, PlayedCase, choose_cases, play_case
from zspex_toolkit.report.extraction.scores import Scored
from zspex_toolkit.report.grid import Grid

LONGEST_S = 12.0  # of a recording on the page
_SHORTEST_S = 1.0


@dataclass(frozen=True)
class Picture:
    """A figure of the page."""

    title: str
    path: Path  # PNG
    caption: str


def write_page(
    path: Path,
    *,
    title: str,
    introduction: str,
    groups: list[list[Scored]],
    folders: Folders,
    grids: list[Grid],
    pictures: list[Picture],
    facts: list[tuple[str, str]],
    max_megabytes: float = 6.0,
) -> list[PlayedCase]:
    """Write the page; recordings are cut as short as it takes to keep it below ``max_megabytes``.

    Args:
        path: the file.
        title: heading.
        introduction: a paragraph.
        groups: systems whose cases are played, a group for each set; none for a page without audio.
        folders: where the audio lies.
        grids: tables, in order.
        pictures: figures, embedded.
        facts: names and values of what stands at the end.
        max_megabytes: bound of the file.

    Returns:
        The cases that are played.
    """
    seconds = LONGEST_S
    while True:
        cases = _cases(groups, folders, seconds)
        text = _render(
            title=title,
            introduction=introduction,
            sections=_sections(cases),
            rule=" ".join([RULE, *([ABSENT_RULE] if any(c.case.heading == "Target absent" for c in cases) else [])]),
            cut=_cut_note(cases, seconds),
            range_db=round(RANGE_DB),
            grids=grids,
            pictures=[(picture, png_uri(picture.path.read_bytes())) for picture in pictures],
            facts=facts,
        )
        size = len(text.encode("utf-8"))
        if size <= 1e6 * max_megabytes or seconds <= _SHORTEST_S:
            break
        seconds = max(_SHORTEST_S, min(0.9, 1e6 * max_megabytes / size) * _longest(cases))
    write_text(path, text)
    return cases


def _cases(groups: list[list[Scored]], folders: Folders, seconds: float) -> list[PlayedCase]:
    cases = [(case, group) for group in groups for case in choose_cases(group)]
    first = {case.heading: group for case, group in reversed(cases)}  # a later set adds kinds, not further cases
    return [play_case(case, group, folders, seconds) for case, group in cases if first[case.heading] is group]


def _longest(cases: list[PlayedCase]) -> float:
    return max((clip.seconds for case in cases for clip in case.clips), default=0.0)


def _cut_note(cases: list[PlayedCase], seconds: float) -> str:
    if _longest(cases) < seconds - 0.01:
        return ""
    return f"Recordings longer than {seconds:.1f} s are cut there, to keep this page small."


def _sections(cases: list[PlayedCase]) -> list[tuple[str, list[PlayedCase]]]:
    sections: dict[str, list[PlayedCase]] = {}
    for case in cases:
        sections.setdefault(case.case.heading, []).append(case)
    return list(sections.items())


def _render(**values: object) -> str:
    loader = jinja2.PackageLoader("zspex_toolkit.report.extraction", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("extraction_page.html").render(**values)
