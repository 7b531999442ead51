"""The county on disk: a folder with ``county.toml`` and one GeoPackage (see docs/county-format.md)."""

from ingest.county.reader import load_county
from ingest.county.writer import save_county

__all__ = ["load_county", "save_county"]
