"""Devices of other people's making: their SDKs speak to a real broker and a real ingest."""
