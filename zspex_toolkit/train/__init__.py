"""The loop, checkpoints, schedules, optimisers. It knows no speech."""
