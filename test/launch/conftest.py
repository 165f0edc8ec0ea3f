"""A cluster that only pretends, for every test of the queues."""

from pathlib import Path

import pytest
from support import fake_cluster

from zspex_toolkit.launch import queue


class FakeCluster:
    """What the tests tell the fake cluster, and what it was told."""

    def __init__(self, folder: Path):
        self.folder = folder

    def set(self, knob: str, value: object) -> None:
        (self.folder / knob).write_text(str(value))

    def calls(self, program: str) -> list[str]:
        return [line for line in (self.folder / "called").read_text().splitlines() if line.startswith(f"{program} ")]


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Fake commands on the PATH, an empty working folder, and short waits."""
    bin_dir, fake, work = (tmp_path / name for name in ("bin", "fake", "work"))
    for folder in (bin_dir, fake, work):
        folder.mkdir()
    fake_cluster.install(bin_dir)
    monkeypatch.setenv("PATH", str(bin_dir), prepend=":")
    monkeypatch.setenv("FAKE", str(fake))
    monkeypatch.chdir(work)
    monkeypatch.setattr(queue, "_POLL_S", (0.1, 0.1))
    monkeypatch.setattr(queue, "_LOG_WAIT_S", 1.2)
    monkeypatch.setattr(queue, "_FAILED_LOG_WAIT_S", 0.1)
    monkeypatch.setattr(queue, "_VERDICT_WAIT_S", 0.3)
    monkeypatch.setattr(queue, "_SUBMIT_WAITS_S", (0.01, 0.01))
    return FakeCluster(fake)
