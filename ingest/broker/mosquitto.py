"""The configuration of the mosquitto that the supervisor starts."""

import os
from pathlib import Path

MAX_QUEUED = 500_000
"""Messages kept for ingest while it is away; at 200 messages/s that is about 40 minutes."""
MAX_QUEUED_BYTES = 256_000_000
MAX_INFLIGHT = 20_000
"""Sent to one client and not yet acknowledged; ingest acknowledges after its commit, so it must be large."""
MAX_PACKET_BYTES = 2_000_000

_CONF = """\
# Written by County Twin at every start; change MQTT_URL to use a broker of your own instead.
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
max_inflight_messages {inflight}
max_queued_messages {queued}
max_queued_bytes {queued_bytes}
max_packet_size {packet}
persistent_client_expiration 14d
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
log_timestamp false
"""


def write_mosquitto_conf(folder: Path, port: int) -> Path:
    """Write ``mosquitto.conf`` for a broker on loopback and return its path.

    Parameters
    ----------
    folder : exists; also keeps what the broker must remember (persistent sessions and their messages)
    port : on 127.0.0.1

    Notes
    -----
    The default of mosquitto saves its memory every half hour: killed, it has lost what it acknowledged since.
    Here it saves every second.

    Anyone on this machine may connect, as to the embedded broker; another machine cannot. Started as root,
    mosquitto would become another user, who could not write to ``folder`` and would outlive a killed
    supervisor (the kernel forgets a parent-death signal with a change of user): there it stays root.
    """
    text = _CONF.format(
        port=port,
        folder=folder.absolute(),
        inflight=MAX_INFLIGHT,
        queued=MAX_QUEUED,
        queued_bytes=MAX_QUEUED_BYTES,
        packet=MAX_PACKET_BYTES,
    )
    if os.geteuid() == 0:
        text += "user root\n"
    path = folder.absolute() / "mosquitto.conf"
    path.write_text(text, encoding="utf-8")
    return path
