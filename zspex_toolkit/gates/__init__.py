"""The checks of real use (`zspex check_model`)."""
