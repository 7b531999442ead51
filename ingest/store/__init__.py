"""The store: the only place that speaks SQL. ``owner`` writes the file, ``client`` asks over Quack."""
