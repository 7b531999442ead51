"""Readings pushed over HTTP: who may, what is taken, and that yes means the broker has it."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.adapters.base import MAX_PAYLOAD
from ingest.gateways.config import Sender, read_config
from ingest.gateways.push import make_server
from tests.ingest.golden import county
from tests.ingest.test_delivery import running_ingest
from tests.ingest.test_worker import is_connected, stored_rows
from tests.support.system import ROOT, free_port, run_mosquitto, wait_until
from twin.model.errors import ConfigError

ALL, ONE = "token-of-one-who-may-all", "token-of-the-logger-only"
SENDERS = (Sender("all", ALL, ("*",)), Sender("logger", ONE, ("LOG7",)))


class Desk:
    """A running server and what it has delivered."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.broker_there = True
        self.server = make_server(("127.0.0.1", 0), SENDERS, self.deliver)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def deliver(self, topic: str, payload: bytes) -> bool:
        if self.broker_there:
            self.taken.append((topic, payload))
        return self.broker_there

    def post(self, path: str, body: bytes, token: str = ALL, **headers: str) -> tuple[int, str]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request("POST", path, body, {"Authorization": f"Bearer {token}", **headers})
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        finally:
            link.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.server.shutdown()
    desk.server.server_close()


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        ("/json/RTU0001", "heat/RTU0001/data"), ("/csv/LOG7", "csv/LOG7/data"), ("/ngsi-ld", "ngsi-ld/push"),
        ("/json/%E7%AB%99%E7%82%B9-03?x=1", "heat/站点-03/data"),
    ],
)  # fmt: skip
def test_a_push_becomes_a_message(desk: Desk, path: str, topic: str) -> None:
    assert desk.post(path, b"{}") == (204, "")
    assert desk.taken == [(topic, b"{}")]


@pytest.mark.parametrize(
    ("path", "token", "status", "words"),
    [
        ("/json/RTU0001", "wrong", 401, "Bearer TOKEN"), ("/json/RTU0001", "", 401, "Bearer TOKEN"),
        ("/json/RTU0001", ONE, 403, "logger may not speak for 'RTU0001'"), ("/ngsi-ld", ONE, 403, "may not"),
        ("/json/a%2Fb", ALL, 404, "must not hold"), ("/json/%23", ALL, 404, "must not hold"),
        ("/json/a%0Ab", ALL, 404, "must not hold"), ("/json/", ALL, 404, "post to"),
        ("/", ALL, 404, "post to"), ("/xml/RTU0001", ALL, 404, "post to"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_with_the_reason(
    desk: Desk, path: str, token: str, status: int, words: str
) -> None:
    said = desk.post(path, b"{}", token)
    assert said[0] == status and words in said[1]
    assert desk.taken == []


def test_an_absent_broker_means_send_it_again(desk: Desk) -> None:
    desk.broker_there = False
    assert desk.post("/json/RTU0001", b"{}")[0] == 503
    desk.broker_there = True
    assert desk.post("/json/RTU0001", b"{}")[0] == 204


def test_bodies_have_a_bound_and_a_length(desk: Desk) -> None:
    assert desk.post("/csv/LOG7", b"x" * MAX_PAYLOAD)[0] == 204
    assert desk.post("/csv/LOG7", b"")[0] == 413
    with socket.create_connection(("127.0.0.1", desk.port), 10) as s:
        head = f"POST /csv/LOG7 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ALL}\r\n"
        s.sendall(f"{head}Content-Length: {MAX_PAYLOAD + 1}\r\n\r\n".encode())
        assert s.recv(200).startswith(b"HTTP/1.1 413")
    with socket.create_connection(("127.0.0.1", desk.port), 10) as s:
        s.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        assert s.recv(200).startswith(b"HTTP/1.1 411")
    with socket.create_connection(("127.0.0.1", desk.port), 10) as s:
        s.sendall(f"{head}Content-Length: 100\r\n\r\nshort".encode())
        s.shutdown(socket.SHUT_WR)
        assert s.recv(200).startswith(b"HTTP/1.1 400")
    assert len(desk.taken) == 1


HTTP = f"""
[http]
listen = "127.0.0.1:{{port}}"
[[http.sender]]
name = "all"
token = "{ALL}"
devices = ["*"]
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("127.0.0.1:{port}", "8090"), (ALL, "short"), ('devices = ["*"]', "devices = []"),
        ('devices = ["*"]', 'devices = "*"'), ("[[http.sender]]", "[[http.cinder]]"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_a_sentence(tmp_path: Path, change: str, words: str) -> None:
    file = tmp_path / "push.toml"
    file.write_text(HTTP.replace(change, words, 1).replace("{port}", "8090"))
    with pytest.raises(ConfigError, match=r"push\.toml, http"):
        read_config(file)


def test_from_a_post_into_the_store(tmp_path: Path) -> None:
    with (
        run_mosquitto(tmp_path / "mosquitto") as broker,
        running_ingest(tmp_path, broker, county()) as site,
    ):
        wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
        port, file = free_port(), tmp_path / "push.toml"
        file.write_text(HTTP.replace("{port}", str(port)))
        env = {**os.environ, "MQTT_URL": f"mqtt://127.0.0.1:{broker}"}
        gateway = subprocess.Popen([sys.executable, "-m", "ingest.gateways", str(file)], cwd=ROOT, env=env)
        now = round(time.time() * 1000)
        body = f"ts,P1_TS,累计流量\n{now - 1000},80.5,10\n{now},81.5,11\n".encode()

        def posted() -> bool:
            try:
                link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                link.request("POST", "/csv/LOG7", body, {"Authorization": f"Bearer {ALL}"})
                status = link.getresponse().status
                link.close()
            except OSError:
                return False
            return status == 204

        try:
            wait_until(posted, 45, "the push is taken")
            wait_until(lambda: stored_rows(site.client) == 4, 45, "four readings are stored")
        finally:
            gateway.terminate()
            assert gateway.wait(120) == 0
        assert site.client.dead_letters() == []


def test_thingsboards_http_device_api_knows_the_device_by_its_token(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="gateway"):
        assert desk.post(f"/api/v1/{ONE}/telemetry", b'{"T": 1}', token="") == (200, "")
        assert desk.post(f"/api/v1/{ONE}/attributes", b'{"fw_version": "2"}', token="") == (200, "")
        assert desk.post(f"/api/v1/{ALL}/telemetry", b"{}")[0] == 403
        assert desk.post("/api/v1/another-token-of-nobody/telemetry", b"{}")[0] == 401
        assert desk.post(f"/api/v1/{ONE}/rpc", b"{}")[0] == 404
    assert desk.taken == [
        ("tb/LOG7/v1/devices/me/telemetry", b'{"T": 1}'),
        ("tb/LOG7/v1/devices/me/attributes", b'{"fw_version": "2"}'),
    ]
    assert caplog.text.count("/api/v1/...") == 3 and ONE not in caplog.text and ALL not in caplog.text
