"""Lets the tests of recipes import what lies beside them, and the cluster that only pretends."""

import sys
from pathlib import Path

for folder in ("egs", "launch"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))
