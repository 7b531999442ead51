"""Asks a broker what it speaks, and if it does not let us in, why not and where to mend."""

import socket
import ssl
import threading
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.settings import Broker

KEEPALIVE_S = 30
_CREDENTIALS = ("Bad user name or password", "Not authorized")


@dataclass(frozen=True, slots=True)
class Answer:
    """``version``: MQTT 5 or 3.1.1, None when we may not or cannot talk; then ``reason`` and ``mend``."""

    version: MQTTProtocolVersion | None
    reason: str = ""
    mend: str = ""


def probe_broker(broker: Broker, timeout_s: float = 4.0) -> Answer:
    """Connect once with MQTT 5, if that is not spoken with 3.1.1, and say how it went."""
    answer = Answer(None)
    for version in (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311):
        answer = _try(broker, version, timeout_s)
        if answer.version is not None or answer.reason:
            return answer
    return Answer(
        None, f"{broker.host}:{broker.port} accepts connections but does not speak MQTT",
        "mend the port in MQTT_URL (mqtts:// for a TLS port)",
    )  # fmt: skip


def _try(broker: Broker, version: MQTTProtocolVersion, timeout_s: float) -> Answer:
    said: list[ReasonCode] = []
    done = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version)
    set_credentials(client, broker)

    def on_connect(*args: object) -> None:
        code = args[3]
        if isinstance(code, ReasonCode):
            said.append(code)
        done.set()

    client.on_connect = on_connect
    client.connect_timeout = timeout_s
    try:
        if broker.tls:
            _shake_hands(broker, timeout_s)
        client.connect(broker.host, broker.port, keepalive=KEEPALIVE_S)
    except OSError as e:
        return _explain_network(broker, e)
    client.loop_start()
    done.wait(timeout_s)
    client.disconnect()
    client.loop_stop()
    if not said:
        return Answer(None)
    return Answer(version) if not said[0].is_failure else explain_refusal(broker, said[0])


def _shake_hands(broker: Broker, timeout_s: float) -> None:
    """Try TLS alone first: paho leaves its socket open when the certificate is refused."""
    context = ssl.create_default_context()
    with (
        socket.create_connection((broker.host, broker.port), timeout_s) as plain,
        context.wrap_socket(plain, server_hostname=broker.host),
    ):
        return


def explain_refusal(broker: Broker, code: ReasonCode) -> Answer:
    """What a refused CONNECT means; an empty reason for "this version is not spoken"."""
    where = f"{broker.host}:{broker.port}"
    name = str(code)
    if name in _CREDENTIALS:
        who = f"user {broker.username!r}" if broker.username else "a client without user name"
        return Answer(
            None, f"{where} refused user name or password ({who}: {name})",
            "mend them in MQTT_URL=mqtt://user:password@host:port, or in the broker's password file",
        )  # fmt: skip
    if "protocol" in name.lower():
        return Answer(None)
    return Answer(None, f"{where} refused the connection: {name}", "see the log of the broker")


def _explain_network(broker: Broker, error: OSError) -> Answer:
    where = f"{broker.host}:{broker.port}"
    if isinstance(error, socket.gaierror):
        return Answer(None, f"the name {broker.host!r} is not known", "mend the host in MQTT_URL, or the DNS")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Answer(
            None, f"{where}: its certificate is not accepted ({error.verify_message})",
            "give the broker a certificate that this machine trusts (SSL_CERT_FILE names a CA of your own)",
        )  # fmt: skip
    if isinstance(error, ssl.SSLError):
        return Answer(
            None, f"{where} does not speak TLS", "write mqtt:// instead of mqtts://, or its TLS port"
        )
    return Answer(
        None, f"{where} does not answer ({error.strerror or error})",
        "start it, or mend MQTT_URL; ingest keeps trying meanwhile",
    )  # fmt: skip


def set_credentials(client: mqtt.Client, broker: Broker) -> None:
    """User, password and TLS of ``MQTT_URL``."""
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set()
