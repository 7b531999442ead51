"""Adapters: one file per dialect, one line here."""

from ingest.adapters.base import Adapter, Decoded, Directory, compile_directory
from ingest.adapters.flat import FlatAdapter
from ingest.adapters.sparkplug import SparkplugAdapter
from ingest.adapters.thingsboard import ThingsBoardAdapter


def make_adapters() -> tuple[Adapter, ...]:
    """A fresh set, one per dialect; Sparkplug keeps state, so a set belongs to one worker."""
    return (FlatAdapter(), ThingsBoardAdapter(), SparkplugAdapter())


__all__ = ["Adapter", "Decoded", "Directory", "compile_directory", "make_adapters"]
