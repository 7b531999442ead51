"""The plant: what really happens in the demo county. Shares no code with the twin's engine."""

from ingest.demo.plant.plant import Plant

__all__ = ["Plant"]
