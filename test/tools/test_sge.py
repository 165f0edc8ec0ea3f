"""tools/installers/_sge.sh: whose Grid Engine this is; with programs that only pretend."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "installers" / "_sge.sh"
OURS = "CQUEUE:main.q\nEXECHOST:global\nEXECHOST:localhost\nEXECHOST:template\nMANAGER:root\n"
DUMP = '/* CF_name */ "{}"\n/* CF_value */ "{}"\n'


class Cell:
    """Folders of a Grid Engine as Debian's package leaves them, and programs that read ``objects`` and ``unheard``."""

    def __init__(self, folder):
        self.common, self.spool, self.folder = folder / "common", folder / "spool", folder
        for name in ("common", "spool/spooldb", "spool/qmaster", "bin"):
            (folder / name).mkdir(parents=True)
        (self.common / "bootstrap").write_text("default\n")
        (self.common / "act_qmaster").write_text("\n")
        (folder / "default-bootstrap").write_text("default\n")
        (self.spool / "spooldb" / "sge").touch()
        self.set_objects("CONFIG:global\nMANAGER:sgeadmin\n")
        self.set_unheard("00:05:00")
        self.program("spooledit", '[[ $1 = list ]] && exec cat "$HERE/objects"; exec cat "$HERE/settings"')
        self.program("hostname", "echo here")

    def program(self, name, text):
        (self.folder / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (self.folder / "bin" / name).chmod(0o755)

    def set_objects(self, text):
        (self.folder / "objects").write_text(text)

    def set_unheard(self, value):
        (self.folder / "settings").write_text(
            DUMP.format("load_report_time", "00:00:02") + DUMP.format("max_unheard", value)
        )

    def set_up_before_marks(self):
        self.set_objects(OURS)
        self.set_unheard("00:00:20")
        (self.common / "act_qmaster").write_text("localhost\n")
        (self.common / "host_aliases").write_text("localhost here\n")

    def says(self, line, masters=""):
        """What the line, after the script, prints and ends with; ``masters`` are the qmasters that run."""
        places = f"C={self.common} S={self.spool} DEFAULTS={self.folder}"
        lines = f"set -uo pipefail; . {SCRIPT}; {places}; masters() {{ echo {masters}; }}; {line}"
        environment = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "HERE": str(self.folder)}
        done = subprocess.run(["bash", "-c", lines], env=environment, capture_output=True, text=True)
        assert done.stderr == ""
        return done.stdout.strip(), done.returncode

    def taken(self, **options):
        return self.says("taken", **options)


FREE = ("", 1)


@pytest.fixture
def cell(tmp_path):
    return Cell(tmp_path)


def test_the_cell_of_a_fresh_package_is_free_whatever_name_of_this_machine_it_goes_by(cell):
    for master in ("", "here", "localhost"):
        (cell.common / "act_qmaster").write_text(master + "\n")
        assert cell.taken() == FREE
    cell.set_objects("CONFIG:global\nEXECHOST:global\nEXECHOST:template\nEXECHOST:here\nMANAGER:root\n")
    assert cell.taken() == FREE


def test_a_machine_without_grid_engine_is_free(cell):
    for path in (cell.common / "bootstrap", cell.common / "act_qmaster", cell.spool / "spooldb" / "sge"):
        path.unlink()
    assert cell.taken() == FREE


def test_what_sge_up_set_up_before_it_left_marks_is_free(cell):
    cell.set_up_before_marks()
    assert cell.taken() == FREE


def test_a_cell_with_other_queues_hosts_or_settings_is_taken(cell):
    told = "somebody has set up a Grid Engine on this machine ({})"
    cell.set_up_before_marks()
    cell.set_objects(OURS + "CQUEUE:all.q\n")
    assert cell.taken() == (told.format("main.q all.q"), 0)
    cell.set_objects(OURS + "EXECHOST:node7\n")
    assert cell.taken() == (told.format("main.q node7"), 0)
    cell.set_objects(OURS)
    cell.set_unheard("00:05:00")
    assert cell.taken() == (told.format("main.q"), 0)
    cell.set_unheard("00:00:20")
    (cell.common / "host_aliases").unlink()
    assert cell.taken() == (told.format("main.q"), 0)


def test_a_client_of_another_machine_is_taken(cell):
    (cell.common / "act_qmaster").write_text("head.cluster\n")
    assert cell.taken() == ("this machine belongs to the Grid Engine of head.cluster", 0)


def test_a_cell_of_an_install_by_hand_is_taken(cell):
    (cell.common / "bootstrap").write_text("classic\n")
    assert cell.taken() == (f"somebody has set up a Grid Engine on this machine ({cell.common}/bootstrap)", 0)


def test_a_qmaster_of_another_installation_is_told(cell):
    (cell.spool / "qmaster" / "qmaster.pid").write_text("11\n")
    assert cell.taken(masters="11 12") == ("another Grid Engine runs on this machine (process 12)", 0)


def test_a_running_qmaster_is_asked_and_one_that_does_not_answer_is_left_alone(cell):
    running = "alive() { true; }; taken"
    cell.program("qconf", "[[ $1 = -sql ]] && echo all.q; true")
    assert cell.says(running) == ("somebody has set up a Grid Engine on this machine (all.q)", 0)
    cell.program("qconf", "exit 1")
    assert cell.says(running) == ("the Grid Engine of this machine does not answer", 0)


def test_a_database_that_cannot_be_read_is_left_alone(cell):
    cell.program("spooledit", "exit 1")
    assert cell.taken() == ("the Grid Engine of this machine does not answer", 0)


def test_a_mark_counts_until_another_host_is_made_master(cell):
    cell.set_up_before_marks()
    assert cell.says("marked") == ("", 1)
    (cell.common / "set_up_by_zspex").touch()
    assert cell.says("marked") == ("", 0)
    (cell.common / "act_qmaster").write_text("head.cluster\n")
    assert cell.says("marked") == ("", 1)
