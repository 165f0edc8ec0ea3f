"""Networks, by what they are for."""
