"""The application: supervisor, dashboard, workers. May import ``ingest`` and ``twin``."""
