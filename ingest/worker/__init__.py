"""The ingest worker: MQTT in, one transaction per batch, acknowledgement after the commit."""
