"""``python -m ingest.gateways FILE``: polls Modbus TCP devices and publishes onto the broker of MQTT_URL."""

import logging
import signal
import sys
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.gateways.config import PolledDevice, read_config
from ingest.gateways.poll import Poller
from ingest.settings import parse_mqtt_url, read_settings
from ingest.worker.probe import set_credentials
from twin.model.errors import ConfigError

log = logging.getLogger("gateway")
EX_CONFIG = 78
KEPT = 200_000
"""Messages kept in memory while the broker is away; they go out late, with their own times."""


def run(devices: tuple[PolledDevice, ...], stop: threading.Event) -> None:
    """Poll until stopped. Raises ``ConfigError``: MQTT_URL cannot be used."""
    broker = parse_mqtt_url(read_settings().mqtt_url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    set_credentials(client, broker)
    client.max_queued_messages_set(KEPT)
    client.reconnect_delay_set(1, 10)
    client.connect_async(broker.host, broker.port, keepalive=30)
    client.loop_start()

    def publish(topic: str, payload: bytes) -> None:
        client.publish(topic, payload, qos=1)

    threads = [
        threading.Thread(target=Poller(d, publish, stop).run, name=d.name, daemon=True) for d in devices
    ]
    for t in threads:
        t.start()
    log.info("%d devices are polled", len(devices))
    stop.wait()
    for t in threads:
        t.join(4.0)
    client.disconnect()
    client.loop_stop()


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
