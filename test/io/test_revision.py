"""Figures name the commit and the versions that made them."""

import platform
import subprocess

import numpy as np

from zspex_toolkit.io.revision import current_commit, installed_versions


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


def test_the_commit_says_whether_files_differ_from_it(tmp_path):
    assert current_commit(tmp_path) == "not a git checkout"
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "one")
    clean = current_commit(tmp_path)
    assert len(clean) == 10
    (tmp_path / "a").write_text("2")
    assert current_commit(tmp_path) == f"{clean}, with uncommitted changes"


def test_what_is_installed_is_told_and_nothing_else():
    assert installed_versions(["no-such-package", "numpy"]) == {
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
