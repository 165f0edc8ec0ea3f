"""RESULTS.md and figures of de-mixing."""
