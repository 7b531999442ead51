"""paho's client, made to carry many small messages.

As it comes, paho 2.2 spends four system calls and some 40 microseconds on each message it receives, and one
more system call on each acknowledgement. Here bytes are read 64 KiB at a time, a PUBLISH is taken apart
directly, and the acknowledgements of a batch leave as one write. Connection, keep-alive, reconnecting and
every other packet stay paho's. Decision record 0044; a test holds this class to the paho that is pinned.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

READ_BYTES = 65_536
PUBACK = 0x40
Taker = Callable[[bytes, bytes, int, int, bool], None]
"""Called with (topic, payload, message id, QoS, retained) for each message."""


class BulkClient(mqtt.Client):
    """``take`` is called in the network thread for every message at QoS 0 and 1."""

    def __init__(self, take: Taker, version: CallbackAPIVersion, **options: Any) -> None:
        super().__init__(version, manual_ack=True, **options)
        self._take = take
        self._ahead = b""
        self._ahead_at = 0

    def _create_socket(self) -> Any:
        self._ahead, self._ahead_at = b"", 0
        return super()._create_socket()

    def _sock_recv(self, bufsize: int) -> bytes:
        at = self._ahead_at
        if at >= len(self._ahead):
            self._ahead = super()._sock_recv(max(bufsize, READ_BYTES))
            at = 0
        self._ahead_at = at + bufsize
        return self._ahead[at : at + bufsize]

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read packets until nothing that has arrived is left."""
        done = super().loop_read(max_packets)
        while done == MQTTErrorCode.MQTT_ERR_SUCCESS and self._ahead_at < len(self._ahead):
            done = super().loop_read(max_packets)
        return done

    def _handle_publish(self) -> MQTTErrorCode:
        found = split_publish(
            self._in_packet["command"],
            self._in_packet["packet"],
            self._protocol == MQTTProtocolVersion.MQTTv5,
        )
        if found is None:
            return super()._handle_publish()
        self._take(*found, bool(self._in_packet["command"] & 1))
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages at QoS 1 in one write."""
        packets = b"".join([struct.pack("!BBH", PUBACK, 2, mid) for mid in mids])
        self._packet_queue(PUBACK, packets, mids[-1], 1)


def split_publish(header: int, body: bytes | bytearray, v5: bool) -> tuple[bytes, bytes, int, int] | None:
    """(topic, payload, message id, QoS) of a PUBLISH; None: QoS 2, or not whole (paho has words for it).

    Source: MQTT 3.1.1 and 5.0, section 3.3.
    """
    qos = (header >> 1) & 3
    if qos > 1 or len(body) < 2:
        return None
    at = 2 + (body[0] << 8) + body[1]
    topic, mid = bytes(body[2:at]), 0
    if qos:
        if len(body) < at + 2:
            return None
        mid = (body[at] << 8) + body[at + 1]
        at += 2
    if v5:
        length = shift = 0
        while True:
            if at >= len(body) or shift > 21:
                return None
            digit = body[at]
            at += 1
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                break
        at += length
    if at > len(body):
        return None
    return topic, bytes(body[at:]), mid, qos
