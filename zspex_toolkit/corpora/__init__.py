"""One corpus a file, found by its file name; a new file is used and tested without being listed anywhere.

Each has two functions, and one that brings its own lists of extraction trials a third:

- ``prepare(corpus_dir, out, *, fs=16000, **options) -> list[Path]`` writes data directories under ``out`` and
  ``out/dropped.txt``, prints ``<corpus>: in N, kept K, dropped D (reason: n, ...)``, and writes nothing on a fault;
- ``fake_tree(root, *, seed=0)`` lays out a tiny corpus in the original's layout and file types;
- ``prepare_trials(corpus_dir, out, dump, *, fs=8000, nj=1, **options) -> list[Path]`` writes the data directories
  ``out/trials_<set>``, one line for each mixture and target, and their audio under ``dump``.

Files whose names begin with ``_`` are what the corpora share.
"""
