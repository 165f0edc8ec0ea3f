"""What comes before a training: plan, render, resample, pack, features, further voices, rooms and noise."""
