"""What is said of a broker that does not let us in."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.settings import parse_mqtt_url
from ingest.worker.probe import probe_broker
from tests.support.system import free_port, mosquitto_path, run_mosquitto, wait_until


@contextmanager
def locked_mosquitto(folder: Path) -> Iterator[int]:
    """A mosquitto that knows one user, heat, with the password right."""
    port = free_port()
    users = folder / "users"
    tool = str(Path(mosquitto_path()).with_name("mosquitto_passwd"))
    tool = tool if Path(tool).exists() else "mosquitto_passwd"
    subprocess.run([tool, "-b", "-c", str(users), "heat", "right"], check=True, capture_output=True)
    users.chmod(0o644)
    conf = folder / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {users}\nuser root\n")
    process = subprocess.Popen([mosquitto_path(), "-c", str(conf)], stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(listens, 10, "mosquitto listens")
        yield port
    finally:
        process.terminate()
        process.wait(120)


def test_a_wrong_password_is_told_as_such_with_the_mend(tmp_path: Path) -> None:
    with locked_mosquitto(tmp_path) as port:
        wrong = probe_broker(parse_mqtt_url(f"mqtt://heat:wrong@127.0.0.1:{port}"))
        nobody = probe_broker(parse_mqtt_url(f"mqtt://127.0.0.1:{port}"))
        right = probe_broker(parse_mqtt_url(f"mqtt://heat:right@127.0.0.1:{port}"))
    assert wrong.version is None and "refused user name or password (user 'heat'" in wrong.reason
    assert "MQTT_URL" in wrong.mend
    assert "a client without user name" in nobody.reason
    assert right.version == 5 and not right.reason


def test_nobody_there_and_no_such_name() -> None:
    away = probe_broker(parse_mqtt_url(f"mqtt://127.0.0.1:{free_port()}"))
    assert away.version is None and "does not answer" in away.reason and "MQTT_URL" in away.mend
    unknown = probe_broker(parse_mqtt_url("mqtt://broker.invalid:1883"))
    assert unknown.version is None and "is not known" in unknown.reason


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves the socket
def test_tls_asked_of_a_plain_port(tmp_path: Path) -> None:
    with run_mosquitto(tmp_path / "m") as port:
        answer = probe_broker(parse_mqtt_url(f"mqtts://127.0.0.1:{port}"), timeout_s=2.0)
    assert answer.version is None and answer.reason


def test_something_else_listens_there() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    answer = probe_broker(parse_mqtt_url(f"mqtt://127.0.0.1:{server.getsockname()[1]}"), timeout_s=0.5)
    server.close()
    for s in taken:
        s.close()
    assert answer.version is None and "does not speak MQTT" in answer.reason


@pytest.mark.parametrize("version", [4, 5])
def test_every_refusal_has_words(version: int) -> None:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.reasoncodes import ReasonCode

    from ingest.worker.probe import explain_refusal

    broker = parse_mqtt_url("mqtt://u:p@h:1")
    for code in (128, 131, 134, 135, 136, 137, 138, 149, 151, 159):
        answer = explain_refusal(broker, ReasonCode(PacketTypes.CONNACK, identifier=code))
        assert answer.version is None and answer.reason and answer.mend
