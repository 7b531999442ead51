"""A hundred devices by a table: all or none, with a report row by row."""

import io
import zipfile

import openpyxl
import pytest

from ingest.onboarding.excel import make_template, merge_devices, read_sheet
from ingest.onboarding.flow import FlowDevice
from tests.onboarding.flows import pump_flow
from twin.model.errors import InputError

PLACES = {"S01": "东关站", "B01": "=1+1"}


def table(
    *rows: tuple[object, ...], head: tuple[object, ...] = ("设备编号", "名称", "地点编号", "部位")
) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(head)
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_template_comes_back_as_the_devices_it_was_made_of() -> None:
    flow = pump_flow(devices=(FlowDevice("=P7", "七号泵", "S01", "-2"), FlowDevice("007", "詹", "B01", "")))
    made = make_template(flow, PLACES, "zh")
    rows = read_sheet(made, set(PLACES))
    assert tuple(r.device for r in rows) == flow.devices
    assert [r.number for r in rows] == [2, 3]
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book["places"]["B3"].value == "'=1+1", "no formula of ours may run in their Excel"


def test_a_hundred_devices_are_taken_and_known_ones_are_mended() -> None:
    rows = read_sheet(table(*((f"P{i}", f"泵{i}", "S01", i) for i in range(1, 101))), set(PLACES))
    assert not any(r.troubles for r in rows)
    devices = merge_devices(pump_flow(), rows)
    assert len(devices) == 100
    assert devices[0] == FlowDevice("P7", "泵7", "S01", "7"), "the device that was there keeps its place"


def test_every_bad_row_is_named_with_its_number() -> None:
    data = table(
        ("P1", "", "S01", ""), (None, None, None, None), ("P2", "x", "S99", ""), ("", "x", "S01", ""),
        ("P1", "x", "S01", "a/b"),
    )  # fmt: skip
    rows = read_sheet(data, set(PLACES))
    found = {r.number: [t.code for t in r.troubles] for r in rows}
    assert found == {2: [], 4: ["unknown_place"], 5: ["bad_device"], 6: ["bad_part", "device_twice"]}
    assert rows[0].device.name == "P1", "a device without a name is called as it calls itself"


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("xl/workbook.xml", b" " * 70_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"not a table", "save it as Excel workbook"),
        (b"PK\x03\x04 cut off", "save it as Excel workbook"),
        (b"x" * 3_000_001, "at most 3000000 are read"),
        (table(head=("a", "b")), "the first line has no column 设备编号"),
        (table(), "the table has no devices"),
        (table(*((f"P{i}", "", "S01", "") for i in range(2001))), "at most 2000 in one table"),
    ],
    ids=["text", "cut", "large", "columns", "empty", "many"],
)
def test_what_is_no_such_table_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_sheet(data, set(PLACES))


def test_a_packed_bomb_is_not_unpacked() -> None:
    with pytest.raises(InputError, match="unpacks to too much"):
        read_sheet(bomb(), set(PLACES))
