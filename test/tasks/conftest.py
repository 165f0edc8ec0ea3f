"""Lets tests of trainings on several processes import what starts them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
