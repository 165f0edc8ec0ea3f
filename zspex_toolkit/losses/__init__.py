"""Loss terms, one a file, found by file name."""
