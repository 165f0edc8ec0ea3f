"""How well extracted speech matches the clean speech of the target: a file each, chosen by its name."""
