"""What a training is fed with: trials, mixtures, segments, stored features."""
