"""Ingest: MQTT in, readings out, the store, the county files. May import ``twin.model`` only."""
