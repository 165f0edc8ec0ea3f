"""Settings, build and loss of each training."""
