"""The command line: ``run``, ``demo``, ``import-county``, ``doctor``, ``user``."""
