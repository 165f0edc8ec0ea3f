"""Files: audio, tables, archives, data directories, locks."""
