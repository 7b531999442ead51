"""Thing models (物模型): what a kind of device measures, tells and can be told, as data files."""

from ingest.things.library import find_model, load_library
from ingest.things.schema import Event, Parameter, Property, RegisterAt, Service, ThingModel

__all__ = [
    "Event", "Parameter", "Property", "RegisterAt", "Service", "ThingModel", "find_model", "load_library",
]  # fmt: skip
