"""Time and memory of networks and features (`zspex benchmark`)."""
