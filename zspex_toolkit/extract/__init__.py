"""Trained networks at work: recordings, trials, clues, shipped and packed models, embeddings."""
