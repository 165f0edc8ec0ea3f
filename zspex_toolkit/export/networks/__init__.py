"""Graphs of networks as they are exported, one network a file."""
