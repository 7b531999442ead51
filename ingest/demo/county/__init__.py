"""The demo county: a fictional county seat in a river valley, made from a seed."""

from ingest.demo.county.assemble import generate_county

__all__ = ["generate_county"]
