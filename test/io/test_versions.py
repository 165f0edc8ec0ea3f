"""Tests of the versions of other packages."""

import platform

import numpy as np

from zspex_toolkit.io.versions import installed_versions


def test_what_is_installed_is_told_and_nothing_else():
    assert installed_versions(["no-such-package", "numpy"]) == {
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
