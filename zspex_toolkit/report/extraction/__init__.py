"""RESULTS.md and page of target speaker extraction."""
