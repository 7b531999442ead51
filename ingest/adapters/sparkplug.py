"""Sparkplug B: births with names and aliases, data by alias, deaths, sequence, request of a new birth.

Source: Eclipse Sparkplug specification 3.0.0, chapters 4 to 6. One instance keeps the aliases and sequence
numbers of every edge node it has heard; the aliases outlive a restart through ``Decoded.memory``, because
what waits at the broker then is named by alias only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.adapters.base import Decoded, Directory, read_timestamp_ms
from ingest.adapters.downlink import Downlink
from ingest.adapters.sparkplug_b_pb2 import Payload
from ingest.adapters.sparkplug_payload import BOOLEAN, add_order, drop_groups, parse, read_value
from twin.model.errors import InputError, PayloadError

_VERBS = ("NBIRTH", "NDEATH", "DBIRTH", "DDEATH", "NDATA", "DDATA")
REBIRTH_EVERY_S = 30.0
MAX_NODES = 4096
_NOT_MEASURED = ("Properties/", "Device Control/", "Node Control/", "Node Info/", "bdSeq")
"""Beginnings of metric names that births and commands carry beside measured values."""
_FIRMWARE = ("Properties/FW", "Properties/Firmware Version", "Properties/Firmware", "Node Info/Firmware")


@dataclass(slots=True)
class _Node:
    """What is known of one edge node: aliases per device ("" for the node), last sequence number.

    ``bd_seq`` numbers its present connection, so that the will of an earlier one is known as such; ``types``:
    datatype of each metric as the birth told it, because data need not repeat it;
    ``remembered``: its aliases are from before a restart and it has not been heard since.
    """

    aliases: dict[str, dict[int, str]] = field(default_factory=dict)
    types: dict[str, dict[str, int]] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    seq: int | None = None
    bd_seq: int | None = None
    rebirth_asked: float = float("-inf")
    remembered: bool = False


class SparkplugAdapter:
    """Topic ``spBv1.0/{group}/{verb}/{edge node}[/{device}]``; metric names are ``Point.external_key``."""

    name = "sparkplug"
    filters: tuple[str, ...] = ("spBv1.0/#",)
    clockless = False

    def __init__(self, memory: Mapping[str, str] | None = None) -> None:
        self._nodes: dict[tuple[str, str], _Node] = {}
        for key, value in (memory or {}).items():
            dialect, *sender = key.split("/")
            if dialect == self.name:
                self._nodes[sender[0], sender[1]] = _recall(value)

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        return topic.startswith("spBv1.0/")

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        parts = topic.split("/")
        if len(parts) >= 3 and (parts[1] == "STATE" or parts[2] in ("NCMD", "DCMD", "STATE")):
            return Decoded()
        if len(parts) not in (4, 5) or parts[2] not in _VERBS or (parts[2][0] == "D") != (len(parts) == 5):
            raise PayloadError("topic is not spBv1.0/{group}/{verb}/{edge node}[/{device}]")
        group, verb, edge = parts[1], parts[2], parts[3]
        external_id = parts[4] if len(parts) == 5 else ""
        message = parse(payload)
        node = self._find_node(group, edge)
        out = Decoded()
        if verb == "NDEATH":
            if _is_of_this_connection(node, message):
                self._mark(out, directory, {edge, *node.devices}, False, received)
            return out
        complete = self._follow_sequence(node, verb, message)
        if verb == "DDEATH":
            self._mark(out, directory, {external_id}, False, received)
        else:
            if not external_id or (self.name, external_id) in directory.devices:
                complete &= self._learn_names(out, node, (group, edge), verb, external_id, message)
            complete &= not node.remembered or verb == "NBIRTH"
        node.remembered = False
        if not complete:
            self._ask_rebirth(out, node, group, edge, received)
        if verb == "DDEATH":
            return out
        try:
            self._read_metrics(out, directory, node, external_id, edge, message, received, verb)
        except PayloadError as e:
            if not out.replies:
                raise
            out.problems.append(str(e))
        return out

    def encode_set(self, down: Downlink) -> tuple[str, bytes]:
        """See ``Commander``: DCMD, or NCMD to an edge node itself; named and typed as in the birth.

        Raises
        ------
        InputError : no edge node has said that it has this device
        """
        own = down.device.external_id
        for (group, edge), node in self._nodes.items():
            if own in node.devices or own == edge:
                verb, below = ("DCMD", f"/{own}") if own in node.devices else ("NCMD", "")
                sender = own if below else ""
                aliases = {name: alias for alias, name in node.aliases.get(sender, {}).items()}
                born_as = node.types.get(sender, {}).get(down.key, 0)
                command = Payload(timestamp=int(down.t * 1000))
                add_order(command, down.key, aliases.get(down.key), born_as, down.number)
                return f"spBv1.0/{group}/{verb}/{edge}{below}", command.SerializeToString()
        raise InputError(f"birth: no edge node has announced {own!r} yet: its birth is awaited")

    def _find_node(self, group: str, edge: str) -> _Node:
        """The edge node; of too many the first is forgotten, so that invented names fill no memory."""
        node = self._nodes.get((group, edge))
        if node is None:
            if len(self._nodes) >= MAX_NODES:
                del self._nodes[next(iter(self._nodes))]
            node = self._nodes[group, edge] = _Node()
        return node

    def _follow_sequence(self, node: _Node, verb: str, message: Payload) -> bool:
        """False when a message is missing between the last one and this."""
        if verb == "NBIRTH":
            node.aliases.clear()
            node.types.clear()
            node.seq, node.bd_seq = message.seq, _bd_seq(message)
            return True
        if not message.HasField("seq"):
            return True
        expected = None if node.seq is None else (node.seq + 1) % 256
        repeated = node.seq is not None and message.seq == node.seq
        node.seq = message.seq
        return expected is None or repeated or message.seq == expected

    def _learn_names(
        self, out: Decoded, node: _Node, sender: tuple[str, str], verb: str, external_id: str,
        message: Payload,
    ) -> bool:  # fmt: skip
        """Keep aliases and datatypes of a birth; False when data refers to an alias never introduced."""
        aliases = node.aliases.setdefault(external_id, {})
        new = verb in ("NBIRTH", "DBIRTH")
        if new:
            aliases.clear()
            node.types[external_id] = {m.name: m.datatype for m in message.metrics if m.HasField("name")}
        for metric in message.metrics:
            if metric.HasField("name") and metric.HasField("alias"):
                new = new or aliases.get(metric.alias) != metric.name
                aliases[metric.alias] = metric.name
        if new:
            table = {device: list(names.items()) for device, names in node.aliases.items()}
            kept = {"bd_seq": node.bd_seq, "aliases": table, "types": node.types}
            out.memory["/".join((self.name, *sender))] = json.dumps(kept, ensure_ascii=False)
        return all(m.HasField("name") or m.alias in aliases for m in message.metrics)

    def _ask_rebirth(self, out: Decoded, node: _Node, group: str, edge: str, received: float) -> None:
        if received - node.rebirth_asked < REBIRTH_EVERY_S:
            return
        node.rebirth_asked = received
        command = Payload(timestamp=int(received * 1000))
        command.metrics.add(name="Node Control/Rebirth", datatype=BOOLEAN, boolean_value=True)
        out.replies.append((f"spBv1.0/{group}/NCMD/{edge}", command.SerializeToString()))

    def _mark(
        self, out: Decoded, directory: Directory, devices: set[str], online: bool, received: float
    ) -> None:
        for external_id in sorted(devices):
            device = directory.devices.get((self.name, external_id))
            if device is not None:
                out.online[device.id] = online
                out.heard[device.id] = received

    def _read_metrics(
        self, out: Decoded, directory: Directory, node: _Node, external_id: str, edge: str, message: Payload,
        received: float, verb: str,
    ) -> None:  # fmt: skip
        """Values of a device, or of the edge node itself when the county has a device of its name."""
        aliases, types = node.aliases.get(external_id, {}), node.types.get(external_id, {})
        sender = external_id or edge
        named = [(m, m.name if m.HasField("name") else aliases.get(m.alias)) for m in message.metrics]
        values = [(m, name) for m, name in named if name is None or not name.startswith(_NOT_MEASURED)]
        if verb.endswith("BIRTH"):
            values = drop_groups(values)
        if not external_id and (self.name, edge) not in directory.devices:
            if values:
                out.problems.append(
                    f"{len(values)} values of edge node {edge[:80]!r} itself, such as {values[0][1]!r:.60}: "
                    "add a device of that name to the county's devices to have them read"
                )
            return
        device = directory.find_device(self.name, sender)
        if external_id:
            node.devices.add(external_id)
        if verb.endswith("BIRTH"):
            out.online[device.id] = True
            for metric, name in named:
                if name in _FIRMWARE and isinstance(metric.string_value, str) and metric.string_value:
                    out.facts[device.id] = {"firmware": metric.string_value[:80]}
        base = read_timestamp_ms(message.timestamp if message.HasField("timestamp") else None, received)
        by_time: dict[float, dict[str, object]] = {}
        for metric, name in values:
            if name is None:
                out.problems.append(f"{sender}: alias {metric.alias} was never introduced by a birth")
                continue
            try:
                stamp = metric.timestamp if metric.HasField("timestamp") else None
                t = base if stamp is None else read_timestamp_ms(stamp, received)
            except PayloadError as e:
                out.problems.append(f"{sender}: {e}")
                continue
            by_time.setdefault(t, {})[name] = read_value(metric, types.get(name, 0))
        for t, measured in by_time.items():
            out.add_values(directory, device, t, received, measured)


def _recall(text: str) -> _Node:
    """An edge node from ``Decoded.memory``; schema 2 of the store kept the aliases only."""
    kept = json.loads(text)
    whole = isinstance(kept.get("aliases"), dict)
    table = kept["aliases"] if whole else kept
    aliases = {device: dict(pairs) for device, pairs in table.items()}
    return _Node(
        aliases, kept.get("types", {}) if whole else {}, {d for d in aliases if d}, None,
        kept["bd_seq"] if whole else None, remembered=True,
    )  # fmt: skip


def _bd_seq(message: Payload) -> int | None:
    """Number of the connection in a birth or a will; None when it has none."""
    for metric in message.metrics:
        if metric.name == "bdSeq" and metric.WhichOneof("value") in ("long_value", "int_value"):
            return int(metric.long_value or metric.int_value)
    return None


def _is_of_this_connection(node: _Node, will: Payload) -> bool:
    """False for the will of an earlier connection, which the broker may publish after the new birth.

    pysparkplug counts on as soon as it is connected, so that its goodbye carries the next number.
    """
    number = _bd_seq(will)
    return number is None or node.bd_seq is None or (number - node.bd_seq) % 256 in (0, 1)
