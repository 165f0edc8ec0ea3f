"""Learning-rate schedules, one a file: ``f(step, num_steps, metrics, config)`` gives the factor of one step.

They are pure functions, so a continued training needs no state of theirs:
``step`` counts the optimiser's steps from 0 to ``num_steps - 1``; ``metrics`` holds one value per finished epoch, lower
is better; ``config`` is the :class:`~zspex_toolkit.train.config.TrainConfig`.
"""
