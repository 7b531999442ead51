"""``python -m ingest.gateways FILE``: polls devices, takes pushes, publishes onto the broker of MQTT_URL."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.gateways.config import Gateway, read_config
from ingest.gateways.poll import Poller
from ingest.gateways.push import Deliver, make_server
from ingest.settings import parse_mqtt_url, read_settings
from ingest.worker.probe import set_credentials
from twin.model.errors import ConfigError

log = logging.getLogger("gateway")
EX_CONFIG = 78
DELIVER_S = 10.0
KEPT = 200_000
"""Messages kept in memory while the broker is away; they go out late, with their own times."""


def run(gateway: Gateway, stop: threading.Event) -> None:
    """Poll and serve until stopped. Raises ``ConfigError``: MQTT_URL or the address cannot be used."""
    broker = parse_mqtt_url(read_settings().mqtt_url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    set_credentials(client, broker)
    client.max_queued_messages_set(KEPT)
    client.reconnect_delay_set(1, 10)

    def publish(topic: str, payload: bytes) -> None:
        client.publish(topic, payload, qos=1)

    def deliver(topic: str, payload: bytes) -> bool:
        if not client.is_connected():
            return False
        try:
            sent = client.publish(topic, payload, qos=1)
            sent.wait_for_publish(DELIVER_S)
            return sent.is_published()
        except (RuntimeError, ValueError):
            return False

    pollers = [Poller(d, publish, stop) for d in gateway.devices]
    listen(client, [p for p in pollers if p.takes_commands], publish)
    client.connect_async(broker.host, broker.port, keepalive=30)
    client.loop_start()
    threads = [threading.Thread(target=p.run, name=p.device.name, daemon=True) for p in pollers]
    server = open_server(gateway, deliver) if gateway.listen is not None else None
    if server is not None:
        threads.append(threading.Thread(target=server.serve_forever, name="http", daemon=True))
    for t in threads:
        t.start()
    log.info("%d devices are polled", len(gateway.devices))
    stop.wait()
    if server is not None:
        server.shutdown()
        server.server_close()
    for t in threads:
        t.join(4.0)
    client.disconnect()
    client.loop_stop()


def listen(client: mqtt.Client, pollers: Sequence[Poller], publish: Callable[[str, bytes], None]) -> None:
    """Hear the commands of devices that may be written, each worked off in a thread of its own."""
    topics = {f"heat/{p.device.name}/set": p for p in pollers}

    def on_connect(c: mqtt.Client, *_args: object) -> None:
        if topics:
            c.subscribe([(t, 1) for t in topics])

    def carry_out(poller: Poller, payload: bytes) -> None:
        said = poller.obey(payload, time.time())
        if said is not None:
            publish(f"heat/{poller.device.name}/ack", said)

    def on_message(_c: mqtt.Client, _d: object, m: mqtt.MQTTMessage) -> None:
        poller = topics.get(m.topic)
        if poller is not None and not m.retain:
            threading.Thread(target=carry_out, args=(poller, bytes(m.payload)), daemon=True).start()

    client.on_connect, client.on_message = on_connect, on_message


def open_server(gateway: Gateway, deliver: Deliver) -> ThreadingHTTPServer:
    """The server of pushes. Raises ``ConfigError``: its address cannot be used."""
    assert gateway.listen is not None
    host, port = gateway.listen
    try:
        server = make_server(gateway.listen, gateway.senders, deliver)
    except OSError as e:
        raise ConfigError(f"cannot listen at {host}:{port}: {e.strerror}; change listen in [http]") from e
    log.info("pushes are taken at http://%s:%d", host, server.server_address[1])
    return server


def main() -> int:
    """Exit status: 0 stopped, 78 wrong configuration."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        if len(sys.argv) != 2:
            raise ConfigError("give the file of the devices: python -m ingest.gateways stations.toml")
        run(read_config(Path(sys.argv[1])), stop)
    except ConfigError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
