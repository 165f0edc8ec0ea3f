"""Numbers without files: features, levels, resampling."""
