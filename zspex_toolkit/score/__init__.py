"""Scores of extracted speech and of de-mixed embeddings."""
