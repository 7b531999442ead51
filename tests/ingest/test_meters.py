"""M-Bus, CJ/T 188 and OPC UA pollers against meters played from published frames and a real OPC UA server."""

import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import meterbus
import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.gateways import cjt188, mbus, meter_links
from ingest.gateways.config import read_config
from ingest.gateways.link import LinkError
from ingest.gateways.poll import Poller
from tests.ingest.meters import (
    ALLMESS_CF50,
    CJT_ADDRESS,
    CJT_ANSWER,
    CJT_REQUEST,
    KAMSTRUP_601,
    POLLUTHERM,
    MBusLine,
    close_cjt,
    play,
    standard_meter,
)
from tests.support.system import ROOT, free_port
from twin.model.errors import ConfigError

HOUR = 3600.0
JY = cjt188.Dialect("901F", unit_first=True)
STANDARD = cjt188.Dialect("1F90")
STANDARD_901F = cjt188.Dialect("901F")


def ask(tmp_path: Path, text: str, times: int = 1) -> dict[str, float]:
    """What the one device of a gateway's file says, as it is published."""
    file = tmp_path / "meters.toml"
    file.write_text(text, encoding="utf-8")
    said: list[tuple[str, bytes]] = []
    poller = Poller(read_config(file).devices[0], lambda t, p: said.append((t, p)), threading.Event())
    try:
        for _ in range(times):
            poller.ask_once(1_700_000_000.0)
    finally:
        poller._link.close()
    assert {topic for topic, _ in said} == {"heat/RB1/data"}
    found: dict[str, float] = json.loads(said[-1][1])
    assert found.pop("ts") == 1_700_000_000_000
    return found


def values(*rows: tuple[str, str, str]) -> str:
    return "".join(f'[[device.value]]\nkey = "{k}"\nquantity = "{q}"\n{more}\n' for k, q, more in rows)


def device(protocol: str, port: int, more: str) -> str:
    return f'[[device]]\nname = "RB1"\nprotocol = "{protocol}"\nhost = "127.0.0.1"\nport = {port}\n{more}\n'


MULTICAL = values(
    ("E", "energy", 'unit = "MWh"'), ("V", "volume", ""), ("TS", "t_supply", ""), ("TR", "t_return", ""),
    ("DT", "dt", ""), ("P", "power", ""), ("Q", "flow", ""), ("E1", "energy", "storage = 1\nunit = \"MWh\""),
    ("PMAX", "power", 'function = "max"'),
)  # fmt: skip


def test_a_multical_601_is_read_as_its_published_values_say(tmp_path: Path) -> None:
    with play(MBusLine()) as port:
        found = ask(tmp_path, device("mbus", port, "address = 17") + MULTICAL)
    assert found == pytest.approx(
        {"E": 37.351, "V": 561.08, "TS": 101.69, "TR": 46.16, "DT": 55.53, "P": 34.7, "Q": 0.543,
         "E1": 33.361, "PMAX": 44.8}
    )  # fmt: skip


def test_a_cf_50_in_decimal_digits(tmp_path: Path) -> None:
    rows = values(("V", "volume", ""), ("TS", "t_supply", ""), ("TR", "t_return", ""), ("DT", "dt", ""))
    with play(MBusLine()) as port:
        found = ask(tmp_path, device("mbus", port, "address = 1") + rows)
    assert found == pytest.approx({"V": 0.3, "TS": 128.8, "TR": 51.6, "DT": 77.23})


def test_a_meter_known_by_its_number_is_selected_and_its_error_values_are_missing(tmp_path: Path) -> None:
    rows = values(("V", "volume", ""), ("P", "power", ""))
    with play(MBusLine()) as port:
        assert ask(tmp_path, device("mbus", port, 'secondary = "24351689"') + rows) == {"V": 0.0, "P": 0.0}
    records, more = mbus.decode_records(mbus.take_frame(POLLUTHERM))
    in_error = [r for r in records if r.quantity == "t_supply"]
    assert [(r.function, math.isnan(r.value)) for r in in_error] == [("error", True)] and not more


def test_a_meter_that_is_not_there_is_told_and_not_waited_for_long(tmp_path: Path) -> None:
    with (
        play(MBusLine()) as port,
        pytest.raises(LinkError, match="no answer"),
    ):
        ask(tmp_path, device("mbus", port, "address = 99") + MULTICAL)


def test_a_meter_that_answers_for_another_number_is_refused(tmp_path: Path) -> None:
    # seen of addiva-elektronik/mbus-device: it takes itself for selected when one digit is right
    line = MBusLine()
    line.selected = True

    def answer(request: bytes) -> bytes:
        return b"\xe5" if request[0] == 0x68 else line(request)

    with play(answer) as port, pytest.raises(LinkError, match="asked for 24351680, 24351689 answers"):
        ask(tmp_path, device("mbus", port, 'secondary = "24351680"') + MULTICAL)


@pytest.mark.parametrize(("pause_s", "whole"), [(0.08, True), (2.0, False)])
def test_a_line_of_300_baud_is_heard_to_the_end_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, pause_s: float, whole: bool
) -> None:
    # seen of HWHardsoft/Arduino-MBUS-Meter, which pauses after each byte
    now, left = 0.0, list(KAMSTRUP_601)

    class Slow:
        def settimeout(self, value_s: float) -> None:
            assert value_s >= pause_s

        def recv(self, _: int) -> bytes:
            nonlocal now
            now += pause_s
            return bytes((left.pop(0),))

    monkeypatch.setattr(meter_links, "socket", SimpleNamespace(create_connection=lambda *_: Slow()))
    monkeypatch.setattr(meter_links, "time", SimpleNamespace(monotonic=lambda: now))
    line = meter_links.Line("converter", 1)
    with nullcontext() if whole else pytest.raises(LinkError, match="no whole answer in time"):
        assert line.hear(256, 1, 6) == KAMSTRUP_601
    assert (left == []) is whole and now < 2 * meter_links.WHOLE_S


def test_records_in_several_telegrams_are_asked_for_with_the_bit_turned(tmp_path: Path) -> None:
    head = bytes.fromhex("0801720051200282 4D020400000000".replace(" ", ""))
    parts = [
        bytes.fromhex("0B3B341200") + b"\x1f",  # 1.234 m³/h, more follows
        bytes.fromhex("0A5A8812"),  # 128.8 °C
    ]

    def answer(request: bytes) -> bytes:
        if request[1] == 0x40:
            return b"\xe5"
        body = head + parts[{0x7B: 0, 0x5B: 1}[request[1]]]
        return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) % 256, 0x16))

    rows = values(("Q", "flow", ""), ("TS", "t_supply", ""))
    with play(answer) as port:
        found = ask(tmp_path, device("mbus", port, "address = 1") + rows)
    assert found == pytest.approx({"Q": 1.234, "TS": 128.8})


@pytest.mark.parametrize(
    ("vif", "vifes", "quantity", "factor"),
    [
        (0x03, (), "energy", HOUR), (0x06, (), "energy", 1e3 * HOUR), (0x0F, (), "energy", 1e7),
        (0x13, (), "volume", 1e-3), (0x16, (), "volume", 1.0), (0x2B, (), "power", 1.0),
        (0x30, (), "power", 1 / HOUR), (0x3B, (), "flow", 1e-3 / HOUR), (0x47, (), "flow", 1 / 60),
        (0x4F, (), "flow", 1e-2), (0x59, (), "t_supply", 0.01), (0x5F, (), "t_return", 1.0),
        (0x61, (), "dt", 0.01), (0x66, (), "t_outside", 0.1), (0xFB, (0x01,), "energy", 1e6 * HOUR),
        (0xFB, (0x09,), "energy", 1e9), (0xFB, (0x29,), "power", 1e6), (0x86, (0x74,), "energy", 10 * HOUR),
    ],
)  # fmt: skip
def test_units_of_the_standard(vif: int, vifes: tuple[int, ...], quantity: str, factor: float) -> None:
    found = mbus.find_quantity(vif, vifes)
    assert found is not None and found[0] == quantity and found[1] == pytest.approx(factor)


def test_what_a_vife_changes_is_another_quantity() -> None:
    assert mbus.find_quantity(0x93, (0x3C,)) is None  # backward flow
    assert mbus.find_quantity(0x6D, ()) is None  # a time
    assert mbus.find_quantity(0xFF, (0x07,)) is None  # the maker's own


def test_what_counts_forward_comes_after_the_plain_value_and_an_error_is_no_number() -> None:
    head = bytes((0x08, 1, 0x72)) + bytes(12)
    forward, plain = b"\x02\x86\x3b\x07\x00", b"\x02\x86\x00\x09\x00"  # kWh; 0x00: no error
    no_data, backward = b"\x02\xdb\x15\x40\x00", b"\x02\x86\x3c\x05\x00"
    found, _ = mbus.decode_records(head + forward + plain + no_data + backward)
    assert [(r.quantity, r.forward) for r in found] == [
        ("energy", False), ("t_supply", False), ("energy", True),
    ]  # fmt: skip
    assert [found[0].value, found[2].value] == [9 * 3.6e6, 7 * 3.6e6] and math.isnan(found[1].value)


@pytest.mark.parametrize(
    "change",
    [lambda f: f[:-1], lambda f: f[:20] + b"\0" + f[21:], lambda f: b"\x10" + f[1:],
     lambda f: f[:-2] + b"\0\x16"],
)  # fmt: skip
def test_a_damaged_telegram_is_refused(change: object) -> None:
    with pytest.raises(mbus.MBusError):
        mbus.decode_records(mbus.take_frame(change(KAMSTRUP_601)))  # type: ignore[operator]


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_records_or_an_error(data: bytes) -> None:
    for body in (data, ALLMESS_CF50[4:19] + data):
        try:
            mbus.decode_records(body)
        except mbus.MBusError:
            continue
    frame = bytes((0x68, 0x20)) + b"\0" * 7 + bytes((0x81, 3 + len(data) % 200)) + b"\x90\x1f\0" + data
    for raw in (data, close_cjt(frame)):
        try:
            cjt188.decode_heat(cjt188.take_frame(raw, "0" * 14), STANDARD)
        except cjt188.Cjt188Error:
            continue


def test_frames_of_an_implementation_that_is_not_ours_are_written_and_read() -> None:
    # printed in python_cjt188 by Aixi Wang (github.com/aixiwang/python_cjt188), tried there on a DN15 meter
    asked = bytes.fromhex("6810 12000000000000 0103 901f00 3d16")
    told = bytes.fromhex(
        "fefefe6810 12000000000000 8116 901f00 100010002c 100010002c 00000000000000 00ff 6716"
    )
    assert cjt188.encode_read("00000000000012", 0x10, STANDARD_901F).removeprefix(b"\xfe" * 4) == asked
    assert cjt188.take_frame(told, "00000000000012") == told[14:-2]


def test_a_heat_meters_numbers_stand_where_another_implementation_has_them() -> None:
    # places of xijunzhou/sdqr_energy_node_class (cj188.h), a station's reader; identifier and serial before
    starts = {"energy_settled": 3, "energy": 8, "power": 13, "flow": 18, "volume": 23, "t_supply": 28,
              "t_return": 31, "hours": 34}  # fmt: skip
    units = {"energy_settled": 0x05, "energy": 0x05, "power": 0x17, "flow": 0x35, "volume": 0x2C}
    data = bytearray(b"\x90\x1f\x01" + bytes(43))
    for i, (name, at) in enumerate(starts.items(), 1):
        data[at] = i
        if name in units:
            data[at + 4] = units[name]
    found = cjt188.decode_heat(bytes(data), STANDARD_901F)
    factor = {"energy_settled": 3.6e4, "energy": 3.6e4, "power": 10.0, "flow": 1e-4 / 3600, "volume": 0.01,
              "t_supply": 0.01, "t_return": 0.01, "hours": 3600.0}  # fmt: skip
    assert found == pytest.approx({k: i * factor[k] for i, k in enumerate(starts, 1)})


def test_a_cjt_188_request_is_the_printed_one() -> None:
    assert cjt188.encode_read(CJT_ADDRESS, 0x20, JY, serial=1) == CJT_REQUEST


def test_the_printed_answer_is_read_as_its_maker_explains_it() -> None:
    found = cjt188.decode_heat(cjt188.take_frame(CJT_ANSWER, CJT_ADDRESS), JY)
    assert found == pytest.approx(
        {"energy_settled": 0.02e6 * HOUR, "energy": 0.02e6 * HOUR, "power": 0.0, "flow": 0.0, "volume": 10.34,
         "t_supply": 25.35, "t_return": 25.66, "hours": 0.0}
    )  # fmt: skip


CJT_ROWS = values(
    ("E", "energy", 'unit = "kWh"'), ("P", "power", ""), ("Q", "flow", ""), ("V", "volume", ""),
    ("TS", "t_supply", ""), ("TR", "t_return", ""), ("H", "hours", ""),
)  # fmt: skip


def test_both_orders_of_the_identifier_and_both_places_of_the_unit(tmp_path: Path) -> None:
    with play(standard_meter) as port:
        text = device("cjt188", port, 'address = "11110012345678"\nidentifier = "1F90"') + CJT_ROWS
        found = ask(tmp_path, text, times=2)
    assert found == pytest.approx(
        {"E": 123_456.78, "P": 125.0, "Q": 1.2345, "V": 4567.89, "TS": 28.51, "TR": 46.54, "H": 4321.0}
    )
    with play(lambda request: CJT_ANSWER if request[:-3] == CJT_REQUEST[:-3] else b"") as port:
        text = device("cjt188", port, f'address = "{CJT_ADDRESS}"\nunit_first = true') + CJT_ROWS
        found = ask(tmp_path, text)
    assert found == pytest.approx(
        {"E": 20.0, "P": 0.0, "Q": 0.0, "V": 10.34, "TS": 25.35, "TR": 25.66, "H": 0.0}
    )


@pytest.mark.parametrize(
    ("code", "quantity", "factor"),
    [
        (0x05, "energy", 1e3 * HOUR), (0x06, "energy", 1e4 * HOUR), (0x0A, "energy", 1e8 * HOUR),
        (0x11, "energy", 1e9), (0x13, "energy", 1e11), (0x01, "energy", 1.0), (0x17, "power", 1e3),
        (0x1C, "power", 1e8), (0x29, "volume", 1e-3), (0x2E, "volume", 100.0), (0x35, "flow", 1 / HOUR),
        (0x32, "flow", 1e-3 / HOUR),
    ],
)  # fmt: skip
def test_unit_codes(code: int, quantity: str, factor: float) -> None:
    assert cjt188.find_unit(quantity, code) == pytest.approx(factor)


def test_a_unit_in_the_wrong_place_is_a_sentence_with_the_mend() -> None:
    with pytest.raises(cjt188.Cjt188Error, match="unit_first"):
        cjt188.decode_heat(cjt188.take_frame(CJT_ANSWER, CJT_ADDRESS), cjt188.Dialect())


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (CJT_ANSWER[:-1], "came with"), (CJT_ANSWER.replace(b"\x34\x10", b"\x35\x10"), "check sum"),
        (b"\x10" * 20, "not a CJ/T 188"),
        (close_cjt(bytes.fromhex("6820 3241314000 0000 C1 03 010000")), "refuses"),
        (close_cjt(bytes.fromhex("6820 9941314000 0000 81 03 901F01")), "answers instead"),
    ],
)  # fmt: skip
def test_what_is_no_answer_of_this_meter_is_refused(frame: bytes, words: str) -> None:
    with pytest.raises(cjt188.Cjt188Error, match=words):
        cjt188.take_frame(frame, CJT_ADDRESS)


@pytest.fixture(scope="module")
def opcua() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ingest.meters", str(port)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    yield port
    process.kill()
    process.wait()
    process.stdout.close()


def opcua_text(port: int, *names: str) -> str:
    rows = "".join(f'[[device.node]]\nkey = "{n}"\nnode = "ns=2;s=Station.{n}"\n' for n in names)
    return f'[[device]]\nname = "RB1"\nprotocol = "opcua"\nurl = "opc.tcp://127.0.0.1:{port}/station"\n{rows}'


def test_nodes_of_a_real_opc_ua_server_are_read_and_bad_status_is_left_out(
    tmp_path: Path, opcua: int
) -> None:
    text = opcua_text(opcua, "P1_TS", "P1_PS", "CP1_RUN", "MODE", "P1_PR", "NAME", "NOWHERE")
    text = text.replace(
        'node = "ns=2;s=Station.P1_PS"', 'node = "ns=2;s=Station.P1_PS"\nscale = 10\noffset = 1'
    )
    found = ask(tmp_path, text, times=2)
    assert found == {"P1_TS": 81.5, "P1_PS": 9.125, "CP1_RUN": 1.0, "MODE": 1.0}


def test_an_opc_ua_server_that_is_away_or_has_nothing_is_a_sentence(tmp_path: Path, opcua: int) -> None:
    with pytest.raises(LinkError, match=r"opc\.tcp"):
        ask(tmp_path, opcua_text(free_port(), "P1_TS"))
    with pytest.raises(LinkError, match="BadNodeIdUnknown"):
        ask(tmp_path, opcua_text(opcua, "NOWHERE"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (device("mbus", 1, "") + MULTICAL, "address"), (device("mbus", 1, "address = 1"), "device.value"),
        (device("mbus", 1, 'secondary = "12"') + MULTICAL, "8 digits"),
        (device("cjt188", 1, 'address = "12"') + CJT_ROWS, "14 digits"),
        (device("cjt188", 1, 'address = "11110012345678"\nidentifier = "9F"') + CJT_ROWS, "901F, 1F90"),
        (device("cjt188", 1, 'address = "11110012345678"') + values(("X", "dt", "")), "quantity"),
        (device("mbus", 1, "address = 1") + values(("X", "dt", 'unit = "furlong"')), "unit"),
        (opcua_text(1, "X").replace("opc.tcp", "http"), "opc.tcp"),
        (opcua_text(1, "X").replace("ns=2;s=", ""), "ns=2"), (device("bacnet", 1, ""), "protocol"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_a_sentence_with_the_place(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "meters.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        read_config(file)


SI_OF = {"Wh": 3600.0, "J": 1.0, "m^3": 1.0, "W": 1.0, "m^3/h": 1 / 3600.0, "C": 1.0, "K": 1.0}


@pytest.mark.parametrize("frame", [KAMSTRUP_601, ALLMESS_CF50], ids=["multical", "cf-50"])
def test_another_decoder_reads_the_same_numbers(frame: bytes) -> None:
    """pyMeterBus, record by record where it knows a unit of ours."""
    theirs = [
        float(r.parsed_value) * SI_OF[r.unit]
        for r in meterbus.load(frame).records
        if r.unit in SI_OF and not isinstance(r.parsed_value, str)
    ]
    ours = [r.value for r in mbus.decode_records(mbus.take_frame(frame))[0]]
    assert len(ours) >= 7 and ours == pytest.approx(theirs)


def test_another_master_reads_our_meters_over_tcp_and_writes_the_same_requests() -> None:
    """pyMeterBus as the master of the line that our own poller is tried on."""
    line = MBusLine()
    with play(line) as port, serial.serial_for_url(f"socket://127.0.0.1:{port}", timeout=3) as wire:
        for address, frame in ((0x11, KAMSTRUP_601), (0x01, ALLMESS_CF50)):
            meterbus.send_ping_frame(wire, address)
            assert isinstance(meterbus.load(meterbus.recv_frame(wire, 1)), meterbus.TelegramACK)
            meterbus.send_request_frame(wire, address)
            said = meterbus.load(meterbus.recv_frame(wire))
            assert len(said.records) > 5
            assert said.header.aField.parts[0] == frame[5]
    assert line.requests == [
        mbus.short_frame(0x40, 0x11), mbus.short_frame(0x5B, 0x11), mbus.short_frame(0x40, 0x01),
        mbus.short_frame(0x5B, 0x01),
    ]  # fmt: skip
