"""Speech recognisers: one a file, waveforms to the log probabilities of tokens."""
