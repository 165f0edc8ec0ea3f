"""Layers of the band-split network and TF-GridNet."""
