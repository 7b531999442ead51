"""The N applications, one folder each."""
