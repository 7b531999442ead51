"""Our own broker: the configuration of mosquitto, and an embedded one when there is none.

Importing this package is cheap; amqtt is imported only by ``python -m ingest.broker``.
"""

from ingest.broker.mosquitto import write_mosquitto_conf

__all__ = ["write_mosquitto_conf"]
