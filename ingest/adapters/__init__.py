"""Adapters: one file per dialect, one line here."""

from collections.abc import Mapping

from ingest.adapters.aliyun import AliyunAdapter
from ingest.adapters.base import Adapter, Decoded, Directory, compile_directory
from ingest.adapters.chirpstack import ChirpStackAdapter
from ingest.adapters.csv_push import CsvAdapter
from ingest.adapters.flat import FlatAdapter
from ingest.adapters.homie import HomieAdapter
from ingest.adapters.huawei import HuaweiAdapter
from ingest.adapters.mapped import MappedAdapter
from ingest.adapters.ngsi_ld import NgsiLdAdapter
from ingest.adapters.sparkplug import SparkplugAdapter
from ingest.adapters.thingsboard import ThingsBoardAdapter


def make_adapters(memory: Mapping[str, str] | None = None) -> tuple[Adapter, ...]:
    """A set, one per dialect, that belongs to one worker; ``memory``: from ``Decoded.memory``."""
    return (
        FlatAdapter(),
        ThingsBoardAdapter(memory),
        SparkplugAdapter(memory or {}),
        HomieAdapter(),
        ChirpStackAdapter(),
        HuaweiAdapter(memory),
        AliyunAdapter(),
        NgsiLdAdapter(),
        CsvAdapter(),
        MappedAdapter(),  # last: it takes what the others leave
    )


__all__ = ["Adapter", "Decoded", "Directory", "compile_directory", "make_adapters"]
