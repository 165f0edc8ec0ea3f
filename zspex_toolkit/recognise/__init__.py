"""The speech recogniser as users call it."""
