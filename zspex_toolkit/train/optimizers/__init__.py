"""Optimisers, one a file: ``f(groups, config)`` builds it from parameter groups that carry their own ``lr``."""
