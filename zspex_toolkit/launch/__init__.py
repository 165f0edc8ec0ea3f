"""Jobs, here and on clusters."""
