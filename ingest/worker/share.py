"""Several workers on one broker: MQTT shared subscriptions deal each message to one of them."""

from collections.abc import Sequence
from dataclasses import replace

from paho.mqtt.client import topic_matches_sub

from ingest.worker.line import Lane

GROUP = "county-twin"
SHARED = ("flat", "gateway")
"""Lanes whose messages stand for themselves. Sparkplug names its metrics by an earlier birth, and whatever is
in the first lane may be anything: these stay with the first worker."""


ANSWERS = ("heat/+/ack", "v1/gateway/rpc", "tb/+/v1/devices/me/rpc/response/+")
"""Where devices answer to commands, which the first worker decides on: it hears all of them. A worker that is
dealt one of these messages too reads it and has nothing to do."""


def share_lanes(lanes: Sequence[Lane], number: int, workers: int) -> tuple[Lane, ...]:
    """The lanes of worker ``number`` of ``workers``; each lane keeps a session of its own at the broker."""
    mine: list[Lane] = []
    if workers == 1:
        for lane in lanes:  # a life with several workers may have left its subscriptions in the session
            left = tuple(f"$share/{GROUP}/{f}" for f in lane.filters if lane.client_id.endswith(SHARED))
            mine.append(replace(lane, foreign=(*lane.foreign, *left)))
        return tuple(mine)
    for lane in lanes:
        shared = lane.client_id.endswith(SHARED)
        if number > 1 and not shared and lane.number != 0:
            continue
        own = () if number > 1 and not shared else lane.filters
        filters = tuple(f"$share/{GROUP}/{f}" for f in own) if shared else own
        heard = tuple(a for a in ANSWERS if shared and any(topic_matches_sub(f, a) for f in own))
        if number == 1:
            filters += heard
        name = lane.client_id if number == 1 else f"{lane.client_id}-{number}"
        foreign = (*lane.foreign, *(f for f in own if f not in filters)) if shared else lane.foreign
        mine.append(Lane(len(mine), name, filters, foreign))
    return tuple(mine)
