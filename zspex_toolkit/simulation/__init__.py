"""One way of mixing, for sets on disk and for trainings: plan, draw, render."""
