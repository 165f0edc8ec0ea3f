"""Layers without files and tasks."""
