"""What the tiny trees of corpora are made of."""
