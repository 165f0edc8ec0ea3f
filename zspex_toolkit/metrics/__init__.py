"""Measures of speech and of speaker verification."""
