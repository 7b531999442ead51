"""The county's files, checks and import."""
