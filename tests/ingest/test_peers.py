"""Peers quick enough for every run; those with a broker and an ingest are in ``bench.adapter_peers``."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pandas as pd
from ebus_sdk import Device, PropertyDatatype

from ingest.adapters.downlink import Commander, Downlink
from tests.ingest.golden import RECEIVED, directory, fresh_adapter, point_ids
from twin.model.readings import Reading


@dataclass
class Wire:
    """What ebus-sdk wants of an MQTT client: messages go to the adapter, orders come back."""

    said: list[tuple[str, bytes]] = field(default_factory=list)
    ears: dict[str, Callable[[str, bytes], None]] = field(default_factory=dict)
    is_running: bool = True

    def is_connected(self) -> bool:
        return True

    def publish(self, topic: str, data: str, qos: int = 1, retain: bool = False) -> None:
        self.said.append((topic, data.encode()))

    def subscribe(self, sub: str, param: Callable[[str, bytes], None], qos: int = 1) -> None:
        self.ears[sub] = param


def by_point(readings: list[Reading]) -> list[tuple[str, float]]:
    return [(point_ids()[r.point_no], r.value) for r in readings]


def test_a_device_of_ebus_sdk_is_read_set_and_gone() -> None:
    wire, orders = Wire(), []
    device = Device("boiler-1", homie_domain="homie", mqttc=wire)
    kinds = {"secondary": ("supply", PropertyDatatype.FLOAT), "pump": ("running", PropertyDatatype.BOOLEAN)}
    properties = {}
    for node, (name, kind) in kinds.items():
        row = {"id": name, "datatype": kind, "settable": True, "set_callback": orders.append}
        properties[node] = device.add_node_from_dict({"id": node, "name": node}).add_property_from_dict(row)
    device.refresh_tree()
    properties["secondary"].set_value(81.5)
    properties["pump"].set_value(True)
    properties["secondary"].set_value(None)  # taken back
    device.stop()
    adapter = fresh_adapter("homie")
    found = [adapter.decode(topic, payload, RECEIVED, directory()) for topic, payload in wire.said]
    read = [row for f in found for row in by_point(f.readings(directory(), RECEIVED))]
    states = [online for f in found for online in f.online.values()]
    assert not any(f.problems for f in found)
    assert [(point.split("/")[1], value) for point, value in read] == [("s2_ts", 81.5), ("cp1_run", 1.0)]
    assert states[0] is True and states[-1] is False
    assert isinstance(adapter, Commander)
    owner = directory().find_device("homie", "boiler-1")
    for key, number in (("pump/running", 0.0), ("secondary/supply", 45.0)):
        topic, payload = adapter.encode_set(Downlink(owner, key, number, 1, RECEIVED, RECEIVED + 60))
        wire.ears[topic](topic, payload)
    assert [str(o) for o in orders] == ["false", "45"]


def test_a_table_as_pandas_writes_it_is_read() -> None:
    moments = [datetime.fromtimestamp(RECEIVED - 60 * k, UTC) for k in (1, 0)]
    table = pd.DataFrame({"P1_TS": [81.5, None], "累计流量": [1234567.875, 1234568.0]}, index=moments)
    table.index = table.index.tz_convert("Asia/Shanghai")
    for text in (table.to_csv(index_label="time"), table.to_csv(index_label="time", sep=";")):
        found = fresh_adapter("csv").decode("csv/LOG7/data", text.encode(), RECEIVED, directory())
        rows = found.readings(directory(), RECEIVED)
        assert found.problems == [] and [r.t for r in rows] == [RECEIVED - 60, RECEIVED - 60, RECEIVED]
        assert [r.value for r in rows] == [81.5, 1234567.875, 1234568.0]
