"""Adapters: one file per dialect, one line here."""

from collections.abc import Mapping

from ingest.adapters.base import Adapter, Decoded, Directory, compile_directory
from ingest.adapters.flat import FlatAdapter
from ingest.adapters.sparkplug import SparkplugAdapter
from ingest.adapters.thingsboard import ThingsBoardAdapter


def make_adapters(memory: Mapping[str, str] | None = None) -> tuple[Adapter, ...]:
    """A set, one per dialect, that belongs to one worker; ``memory``: from ``Decoded.memory``."""
    return (FlatAdapter(), ThingsBoardAdapter(), SparkplugAdapter(memory or {}))


__all__ = ["Adapter", "Decoded", "Directory", "compile_directory", "make_adapters"]
