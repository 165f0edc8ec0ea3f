"""Layers of SpEx+ and Z-SpEx."""
