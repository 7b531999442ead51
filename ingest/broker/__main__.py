"""``python -m ingest.broker``: the embedded broker on the host and port of ``MQTT_URL``."""

import asyncio
import logging
import signal
import sys
from typing import Any

from ingest.settings import Broker, parse_mqtt_url, read_settings
from twin.model.errors import ConfigError

EX_CONFIG = 78
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def make_config(broker: Broker) -> dict[str, Any]:
    """Return amqtt's configuration: one listener on loopback, anyone on this machine may connect.

    Raises
    ------
    ConfigError : ``MQTT_URL`` does not name this machine, or asks for TLS or a password
    """
    if broker.host not in LOOPBACK or broker.tls or broker.username:
        raise ConfigError(
            "The embedded broker serves this machine only, without TLS and passwords: "
            "give MQTT_URL as mqtt://127.0.0.1:PORT, or start a broker of your own there."
        )
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{broker.port}", "max_connections": 0}},
        "plugins": {"ingest.broker.keeping.TrustThisMachine": {}},
    }


async def serve(config: dict[str, Any]) -> None:
    """Serve until SIGTERM or SIGINT."""
    from ingest.broker.keeping import make_broker

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    broker = make_broker(config)
    await broker.start()
    print(f"embedded broker on {config['listeners']['default']['bind']}, MQTT 3.1.1", flush=True)
    await stop.wait()
    await broker.shutdown()


def main() -> int:
    """Run the embedded broker; returns the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    try:
        asyncio.run(serve(make_config(parse_mqtt_url(read_settings().mqtt_url))))
    except ConfigError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())
