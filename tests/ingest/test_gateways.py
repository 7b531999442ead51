"""The Modbus poller against a server of another project, and on its way through a broker into the store."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from ingest.gateways.config import read_config
from ingest.gateways.modbus import (
    KINDS,
    MAX_REGISTERS,
    ORDERS,
    Block,
    ModbusError,
    ModbusTcp,
    decode_number,
    encode_number,
    plan_blocks,
)
from ingest.gateways.poll import Poller
from tests.ingest.test_delivery import running_ingest
from tests.ingest.test_worker import is_connected, stored_rows
from tests.support.system import ROOT, free_port, run_mosquitto, wait_until
from twin.model.errors import ConfigError, InputError

TYPES = {
    "u16": ModbusClientMixin.DATATYPE.UINT16, "i16": ModbusClientMixin.DATATYPE.INT16,
    "u32": ModbusClientMixin.DATATYPE.UINT32, "i32": ModbusClientMixin.DATATYPE.INT32,
    "f32": ModbusClientMixin.DATATYPE.FLOAT32, "u64": ModbusClientMixin.DATATYPE.UINT64,
    "i64": ModbusClientMixin.DATATYPE.INT64, "f64": ModbusClientMixin.DATATYPE.FLOAT64,
}  # fmt: skip
CONFIG = """
[[device]]
name = "RTU0001"
host = "127.0.0.1"
port = {port}
unit = 7
period_s = 0.5
order = "CDAB"

[[device.register]]
key = "P1_TS"
address = 0
scale = 0.1

[[device.register]]
key = "P1_PS"
address = 4
kind = "f32"

[[device.register]]
key = "P1_PR"
address = 2
kind = "f32"
order = "ABCD"

[[device.register]]
key = "CP1_RUN"
table = "coil"
address = 2
"""


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ingest.modbus_server", str(port)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    yield port
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize(
    ("address", "kind", "order", "value"),
    [
        (0, "u16", "ABCD", 815.0), (1, "i16", "ABCD", -10.0), (2, "f32", "ABCD", 0.8125),
        (4, "f32", "CDAB", 0.8125), (6, "f32", "BADC", 0.8125), (8, "f32", "DCBA", 0.8125),
        (10, "i32", "CDAB", -123_456.0), (12, "f64", "ABCD", 1_234_567.25),
    ],
)  # fmt: skip
def test_every_word_order_is_read_from_a_real_server(
    server: int, address: int, kind: str, order: str, value: float
) -> None:
    link = ModbusTcp("127.0.0.1", server)
    assert decode_number(link.read(7, Block("holding", address, KINDS[kind])), kind, order) == value
    link.close()


def test_bits_and_input_registers_and_a_refusal(server: int) -> None:
    link = ModbusTcp("127.0.0.1", server)
    assert link.read(7, Block("coil", 0, 4)) == [1, 0, 1, 1]
    assert link.read(7, Block("discrete", 0, 2)) == [0, 1]
    assert link.read(7, Block("input", 100, 2)) == [42, 43]
    with pytest.raises(ModbusError, match="no such address"):
        link.read(7, Block("holding", 900, 1))
    assert link.read(7, Block("input", 100, 1)) == [42], "the connection lives on after a refusal"
    link.close()


@given(kind=st.sampled_from(sorted(TYPES)), wanted=st.sampled_from(ORDERS), data=st.data())
@settings(max_examples=200, deadline=None)
def test_numbers_are_those_another_library_writes(kind: str, wanted: str, data: st.DataObject) -> None:
    """Every kind in all four orders; the other library knows two, the bytes are swapped here."""
    width = 16 * KINDS[kind]
    if kind[0] == "f":
        number: float = data.draw(st.floats(width=width, allow_nan=False))
    else:
        low, high = (0, 2**width - 1) if kind[0] == "u" else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)
        number = data.draw(st.integers(low, high))
    order = "little" if wanted in ("CDAB", "DCBA") else "big"
    registers = ModbusClientMixin.convert_to_registers(number, TYPES[kind], word_order=order)
    if wanted in ("BADC", "DCBA"):
        registers = [(r >> 8) | (r & 255) << 8 for r in registers]
    assert decode_number(registers, kind, wanted) == float(number)


@given(
    kind=st.sampled_from(sorted(TYPES)),
    order=st.sampled_from(ORDERS),
    number=st.integers(-(2**31), 2**31 - 1),
)
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_read_back_in_every_kind_and_order(kind: str, order: str, number: int) -> None:
    try:
        registers = encode_number(float(number), kind, order)
    except InputError:
        assert kind in ("u16", "i16", "u32", "u64")
        return
    expected = struct.unpack("f", struct.pack("f", number))[0] if kind == "f32" else float(number)
    assert decode_number(registers, kind, order) == expected


def test_commands_are_written_to_a_real_server_and_read_back_at_once(server: int, tmp_path: Path) -> None:
    said: list[tuple[str, bytes]] = []
    file = tmp_path / "stations.toml"
    text = CONFIG.format(port=server).replace("scale = 0.1", "scale = 0.1\nwritable = true")
    file.write_text(text.replace('table = "coil"', 'table = "coil"\nwritable = true'))
    one = Poller(read_config(file).devices[0], lambda t, p: said.append((t, p)), threading.Event())
    assert one.takes_commands

    def tell(**values: object) -> dict[str, object]:
        answer = one.obey(json.dumps({"id": 7, **values}).encode(), 1_700_000_000.0)
        assert answer is not None
        found: dict[str, object] = json.loads(answer)
        return found

    try:
        assert tell(P1_TS=79.5, CP1_RUN=0) == {"id": 7, "ok": True}
        assert json.loads(said[-1][1])["P1_TS"] == 79.5 and json.loads(said[-1][1])["CP1_RUN"] == 0.0
        assert tell(P1_PS=1.0) == {"id": 7, "ok": False, "error": "P1_PS cannot be written"}
        assert tell(P1_TS=1e9)["ok"] is False
        assert tell(P1_TS=70.0, until=1) == {"id": 7, "ok": False, "error": "too late"}
        assert one.obey(b"[1]", 0.0) is None
        assert tell(P1_TS=81.5, CP1_RUN=1)["ok"] is True  # as other tests expect it
    finally:
        one._link.close()


@given(
    st.lists(
        st.tuples(st.sampled_from(["holding", "input", "coil"]), st.integers(0, 400), st.integers(1, 4)),
        max_size=30,
    )
)
@settings(max_examples=200, deadline=None)
def test_blocks_cover_all_that_is_wanted_and_none_is_too_long(wanted: list[tuple[str, int, int]]) -> None:
    blocks = plan_blocks(wanted)
    for table, address, count in wanted:
        assert any(
            b.table == table and b.address <= address and address + count <= b.address + b.count
            for b in blocks
        )
    assert all(b.count <= MAX_REGISTERS for b in blocks if b.table != "coil")


def test_unknown_kinds_and_wrong_lengths_are_told() -> None:
    for registers, kind, order in (([1], "f32", "ABCD"), ([1, 2], "f32", "ACBD"), ([1], "f16", "ABCD")):
        with pytest.raises(InputError):
            decode_number(registers, kind, order)
    assert len(ORDERS) == 4


def poller(tmp_path: Path, port: int, publish: Callable[[str, bytes], None]) -> Poller:
    file = tmp_path / "stations.toml"
    file.write_text(CONFIG.format(port=port))
    return Poller(read_config(file).devices[0], publish, threading.Event())


def test_one_message_per_round_with_the_values_in_the_vendors_units(server: int, tmp_path: Path) -> None:
    said: list[tuple[str, bytes]] = []
    one = poller(tmp_path, server, lambda t, p: said.append((t, p)))
    one.ask_once(1_700_000_000.5)
    one._link.close()
    assert said[0][0] == "heat/RTU0001/data"
    assert json.loads(said[0][1]) == {
        "ts": 1_700_000_000_500, "P1_TS": pytest.approx(81.5), "P1_PS": 0.8125, "P1_PR": 0.8125,
        "CP1_RUN": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\1\0\0\0\3\7\3\0", b"\0" * 300]
)
def test_a_peer_that_is_no_modbus_server_is_an_error_and_not_a_hang(answer: bytes, tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(8):
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.recv(100)
                peer.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    one = poller(tmp_path, listener.getsockname()[1], lambda *_: None)
    with pytest.raises(ModbusError):
        one.ask_once(0.0)
    one._link.close()
    listener.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('order = "CDAB"', 'order = "DACB"'), ("period_s = 0.5", "period_s = 0"), ("unit = 7", "unit = 300"),
        ('name = "RTU0001"', 'name = "a/b"'), ('kind = "f32"', 'kind = "f31"'), ("unit = 7", "unit = "),
        ('table = "coil"', 'table = "coil"\nkind = "f32"'), ('host = "127.0.0.1"', ""),
        ("[[device]]", "[[devise]]"), ("address = 0", "address = -1"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_a_sentence_with_the_place(tmp_path: Path, change: str, words: str) -> None:
    file = tmp_path / "stations.toml"
    file.write_text(CONFIG.format(port=502).replace(change, words, 1))
    with pytest.raises(ConfigError, match=r"stations\.toml"):
        read_config(file)


def test_from_the_registers_into_the_store(server: int, tmp_path: Path) -> None:
    with run_mosquitto(tmp_path / "mosquitto") as broker, running_ingest(tmp_path, broker) as site:
        wait_until(lambda: is_connected(site.client), 45, "ingest is connected")
        file = tmp_path / "stations.toml"
        file.write_text(CONFIG.format(port=server))
        env = {**os.environ, "MQTT_URL": f"mqtt://127.0.0.1:{broker}"}
        gateway = subprocess.Popen([sys.executable, "-m", "ingest.gateways", str(file)], cwd=ROOT, env=env)
        try:
            wait_until(lambda: stored_rows(site.client) >= 8, 60, "two rounds are stored")
        finally:
            gateway.terminate()
            assert gateway.wait(120) == 0
        values = dict(
            zip(site.client.latest().point_no.tolist(), site.client.latest().value.tolist(), strict=True)
        )
        assert sorted(round(v, 3) for v in values.values()) == [1.0, 81.5, 812_500.0, 812_500.0]
        assert site.client.dead_letters() == []
