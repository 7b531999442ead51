"""Benches: each prints a table with its peers measured in the same run; ``--json FILE`` keeps the rows."""
