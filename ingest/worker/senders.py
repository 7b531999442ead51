"""Who a message is from, as far as quotas go: the vendor of its device, told by topic and first bytes alone.

Sparkplug names metrics by an earlier birth of the same edge node, so there the edge node is the sender: what
is read in turn must not be parted. A vendor that is not named counts by device; strangers of one first level
count together. Decision record 0048.
"""

import re
from collections import Counter

from ingest.adapters import Directory
from ingest.adapters.mapped import find_source
from ingest.onboarding.flow import MAPPED, match_topic
from ingest.worker.inbox import Message
from ingest.worker.line import OWN_LANES
from ingest.worker.share import ANSWERS
from twin.model.county import Device

MAX_KNOWN = 20_000
"""Topics that are remembered."""
_FIRST_KEY = re.compile(rb'\s*\{\s*"([^"\\]{1,200})"')
_DEVICE = re.compile(rb'"device"\s*:\s*"([^"\\]{1,200})"')
_SPARKPLUG, _GATEWAY, _GATEWAY_ANSWER = "spBv1.0/", "v1/gateway/", "v1/gateway/rpc"
_ANSWERS = "answers"
"""What devices answer to commands waits for nobody's flood."""
_FAMILIES = {"flat": "flat", "thingsboard": "gateway", "sparkplug": "sparkplug"}
"""Dialect -> lane, as ``OWN_LANES`` has it by topic; all others share one."""


class Senders:
    """Names senders, and knows what part of a family of dialects each is by the county's description."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._names: dict[str, str] = {}
        self._topics: dict[str, str] = {}
        self._edges: set[str] = set()
        self._counts: dict[str, Counter[str]] = {}
        for d in directory.devices.values():
            family = _FAMILIES.get(d.dialect, "")
            if family == "sparkplug" or d.kind == "retired":
                continue
            name = d.vendor or d.external_id.partition("/")[0] if d.dialect == MAPPED else _name(d)
            key = d.external_id.partition("/")[0] + "/~" if d.dialect == MAPPED else d.external_id
            self._names[key] = name
            self._counts.setdefault(family, Counter())[name] += 1

    def name(self, m: Message) -> str:
        """The sender of a message."""
        if m.topic.startswith(_GATEWAY) and m.topic != _GATEWAY_ANSWER:
            return self._names.get(_named_first(m.payload), "v1/?")
        found = self._topics.get(m.topic)
        if found is None:
            if len(self._topics) >= MAX_KNOWN:
                self._topics.clear()
            found = self._topics[m.topic] = self._read_topic(m.topic)
        return found

    def _read_topic(self, topic: str) -> str:
        levels = topic.split("/")
        if topic.startswith(_SPARKPLUG) and len(levels) >= 4:
            edge = "/".join((*levels[:2], levels[3]))[:200]
            if len(self._edges) < MAX_KNOWN:
                self._edges.add(edge)
            return edge
        if any(match_topic(f, topic) for f in ANSWERS):
            return _ANSWERS
        for i, level in enumerate(levels):
            for key in (level, "/".join(levels[i : i + 2])):  # Aliyun's devices have two levels
                if key in self._names:
                    return self._names[key]
        source = find_source(self.directory.sources, topic)
        return self._names.get(f"{source[0]}/~", source[0]) if source else f"{levels[0][:60]}/?"

    def share(self, topic: str, name: str) -> float:
        """The part of the devices of ``topic``'s family that are this sender's, 0 to 1."""
        if topic.startswith(_SPARKPLUG):
            return 1 / max(len(self._edges), 1)
        count = self._counts.get(OWN_LANES.get(topic.split("/", 1)[0], ""), Counter())
        return count[name] / max(count.total(), 1)


def _name(d: Device) -> str:
    return d.vendor or d.external_id


def _named_first(payload: bytes) -> str:
    """The device that a gateway's message names first."""
    found = _FIRST_KEY.match(payload)
    if found and found[1] == b"device":
        found = _DEVICE.search(payload[:500]) or found
    return found[1].decode("utf-8", "replace") if found else ""
