"""A hundred devices at once: a table to fill in, and its rows back as devices, all or none."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import openpyxl
from openpyxl.styles import Font, PatternFill
from openpyxl.utils.exceptions import InvalidFileException

from ingest.onboarding.check import MAX_DEVICES, check_device
from ingest.onboarding.flow import Flow, FlowDevice
from ingest.onboarding.troubles import Trouble, make_trouble
from twin.model.errors import InputError

COLUMNS = (
    ("external_id", "设备编号", "device id", 24),
    ("name", "名称", "name", 24),
    ("place_id", "地点编号", "place id", 18),
    ("part", "部位", "part", 16),
)
SHEET, PLACES = "devices", "places"
MAX_BYTES = 3_000_000
MAX_UNPACKED = 60_000_000


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of the table: its number, the device, and what is wrong with it."""

    number: int
    device: FlowDevice
    troubles: tuple[Trouble, ...]


def make_template(flow: Flow, places: Mapping[str, str], lang: str) -> bytes:
    """Return an .xlsx with the devices of ``flow`` and a sheet of places (id -> name)."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet.append([zh if lang == "zh" else en for _, zh, en, _ in COLUMNS])
    for cell, (_, _, _, width) in zip(sheet[1], COLUMNS, strict=True):
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="DDE7F2")
        sheet.column_dimensions[cell.column_letter].width = width
    sheet.freeze_panes = "A2"
    for d in flow.devices:
        sheet.append([_plain(x) for x in (d.external_id, d.name, d.place_id, d.part)])
    for column in "ABCD":
        for row in range(1, MAX_DEVICES + 2):
            sheet[f"{column}{row}"].number_format = "@"  # a name such as 007 stays what it is
    listed = book.create_sheet(PLACES)
    listed.append(
        [COLUMNS[2][1] if lang == "zh" else COLUMNS[2][2], COLUMNS[1][1] if lang == "zh" else COLUMNS[1][2]]
    )
    for place, name in places.items():
        listed.append([_plain(place), _plain(name)])
    listed.column_dimensions["A"].width = listed.column_dimensions["B"].width = 24
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _plain(text: str) -> str:
    """Text that Excel takes for a formula is written with a quote before it."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def read_sheet(data: bytes, places: set[str]) -> tuple[SheetRow, ...]:
    """Return every filled row of an uploaded table, judged one by one.

    Raises
    ------
    InputError : no such table; says what is needed
    """
    cells = _open(data)
    head = [str(c or "").strip().lower() for c in cells[0]] if cells else []
    at: dict[str, int] = {}
    for field, zh, en, _ in COLUMNS:
        found = [i for i, h in enumerate(head) if h in (field, zh, en)]
        if not found and field != "part":
            raise InputError(f"the first line has no column {zh} ({en}): begin with the template")
        at[field] = found[0] if found else -1
    rows: list[SheetRow] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(cells[1:], 2):
        texts = {f: _text(line[i]) if 0 <= i < len(line) else "" for f, i in at.items()}
        if not any(texts.values()):
            continue
        device = FlowDevice(
            texts["external_id"], texts["name"] or texts["external_id"], texts["place_id"], texts["part"]
        )
        troubles = list(check_device(device, places))
        if seen.setdefault(device.external_id, number) != number:
            troubles.append(make_trouble("map", "device_twice", name=device.external_id))
        rows.append(SheetRow(number, device, tuple(troubles)))
    if not rows:
        raise InputError("the table has no devices: fill in a row below the first line")
    if len(rows) > MAX_DEVICES:
        raise InputError(f"{len(rows)} devices, at most {MAX_DEVICES} in one table")
    return tuple(rows)


def _open(data: bytes) -> list[Sequence[object]]:
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data)} bytes, at most {MAX_BYTES} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(i.file_size for i in packed.infolist()) > MAX_UNPACKED:
                raise InputError("the file unpacks to too much: begin with the template")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
        return list(sheet.iter_rows(max_row=MAX_DEVICES + 200, max_col=30, values_only=True))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError) as e:
        raise InputError(f"not an .xlsx table ({type(e).__name__}): save it as Excel workbook (.xlsx)") from e


def _text(cell: object) -> str:
    """A cell as text; whole numbers without a decimal point."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    return text[1:] if text[:2] in ("'=", "'+", "'-", "'@") else text


def merge_devices(flow: Flow, rows: Sequence[SheetRow]) -> tuple[FlowDevice, ...]:
    """The devices of ``flow``, those of the table over those of the same name, new ones behind."""
    fresh = {r.device.external_id: r.device for r in rows}
    kept = tuple(fresh.pop(d.external_id, d) for d in flow.devices)
    return (*kept, *fresh.values())
