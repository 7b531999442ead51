"""The export of a hotline (12345): a table whose column heads say what stands where, read row by row."""

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from app.domains.heating.complaints.case import CHANNELS, KINDS
from app.domains.heating.complaints.entry import Entry, read_entry
from app.domains.heating.complaints.refusal import ComplaintRefused
from app.domains.heating.complaints.rules import Rules
from app.domains.heating.complaints.words import place_address, plain, split_home
from app.i18n.spoken import CHANNEL_WORDS, HEADS, KIND_WORDS
from twin.model.county import County

MAX_BYTES, MAX_UNPACKED, MAX_ROWS, MAX_COLUMNS = 4_500_000, 60_000_000, 5000, 60
SEASON_S = 400 * 86_400.0
NEEDED = ("number", "t", "address")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
"""A temperature, whatever unit stands behind it."""


@dataclass(frozen=True, slots=True)
class RowTrouble:
    """A row that was not read: ``line`` as the table counts, the ``column`` head, and why."""

    line: int
    column: str
    number: str
    why: ComplaintRefused


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a table holds: cases ready to be kept with their lines, and rows that cannot be read."""

    entries: tuple[tuple[int, Entry], ...]
    troubles: tuple[RowTrouble, ...]
    heads: dict[str, str]


def read_hotline(county: County, rules: Rules, name: str, data: bytes, now: float) -> Sheet:
    """The cases of a table, each row judged by itself.

    Raises
    ------
    ComplaintRefused : it is no such table, or a column that is needed is missing
    """
    table = _open(name, data)
    at_row, at = _find_heads(table, rules)
    heads = {field: str(table[at_row][k]).strip() for field, k in at.items()}
    entries: list[tuple[int, Entry]] = []
    troubles: list[RowTrouble] = []
    seen: dict[str, int] = {}
    for line, row in enumerate(table[at_row + 1 :], at_row + 2):
        cells = {f: _cell(row[k]) if k < len(row) else "" for f, k in at.items()}
        if not any(cells.values()):
            continue
        number = str(cells["number"])
        try:
            if seen.setdefault(number, line) != line:
                raise _RowError("number", ComplaintRefused("twice", line=seen[number]))
            entries.append((line, _read_row(county, cells, now)))
        except _RowError as e:
            troubles.append(RowTrouble(line, heads.get(e.field, e.field), number[:60], e.why))
    if not entries and not troubles:
        raise ComplaintRefused("table_empty")
    return Sheet(tuple(entries), tuple(troubles), heads)


class _RowError(Exception):
    """A row that cannot be read, and the field that says so."""

    def __init__(self, field: str, why: ComplaintRefused) -> None:
        self.field, self.why = field, why
        super().__init__(str(why))


def _read_row(county: County, cells: Mapping[str, object], now: float) -> Entry:
    text = str(cells.get("text", ""))
    if not cells["number"]:
        raise _RowError("number", ComplaintRefused("cell_empty"))
    if not cells["t"]:
        raise _RowError("t", ComplaintRefused("cell_empty"))
    address = str(cells["address"])
    found, home = place_address(county.buildings, address)
    if not found:
        raise _RowError("address", ComplaintRefused("address", address=address[:60] or "--"))
    if len(found) > 1:
        names = "、".join(b.name or b.address or b.id for b in found[:4])
        raise _RowError("address", ComplaintRefused("address_several", address=address[:60], names=names))
    given = str(cells.get("home", "")) or home
    body: dict[str, object] = {
        "building": found[0].id, "home": split_home(f" {given}")[1] or given, "text": text,
        "kind": _kind(f"{cells.get('kind', '')} {text}"), "channel": _channel(str(cells.get("channel", ""))),
        "number": str(cells["number"]), "t": cells["t"], "phone": _phone(str(cells.get("phone", ""))),
    }  # fmt: skip
    if cells.get("room_c"):
        found_number = _NUMBER.match(plain(str(cells["room_c"])))
        if found_number is None:
            raise _RowError("room_c", ComplaintRefused("number", given=str(cells["room_c"])[:40]))
        body["room_c"] = float(found_number[0])
    try:
        return read_entry(county, body, now, oldest_s=SEASON_S)
    except ComplaintRefused as e:
        field = str(e.values.get("field", ""))
        places = {"room": "room_c", "phone": "phone", "time": "t", "time_ahead": "t", "time_before": "t"}
        raise _RowError(field or places.get(e.code, "address"), e) from None


def _phone(text: str) -> str:
    """A telephone number; what is none (无, --) is left away."""
    return text if sum(c.isdigit() for c in text) >= 7 and len(text) <= 30 else ""


def _kind(words: str) -> str:
    text = plain(words)
    if text in KINDS:
        return text
    return next((kind for kind, marks in KIND_WORDS if any(plain(m) in text for m in marks)), "other")


def _channel(words: str) -> str:
    text = plain(words)
    if text in CHANNELS:
        return text
    return next((c for word, c in CHANNEL_WORDS.items() if word in text), "12345")


def _find_heads(table: Sequence[Sequence[object]], rules: Rules) -> tuple[int, dict[str, int]]:
    """The row of the column heads (among the first ten), and where each field stands."""
    further = dict(rules.heads)
    known = {f: [plain(h) for h in (*further.get(f, ()), *heads)] for f, heads in HEADS.items()}
    best: tuple[int, dict[str, int]] = (0, {})
    for number, row in enumerate(table[:10]):
        cells = [plain(str(c)) if c is not None else "" for c in row]
        at: dict[str, int] = {}
        for field, heads in known.items():
            place = next((cells.index(h) for h in heads if h in cells), None)
            if place is not None:
                at[field] = place
        if len(at) > len(best[1]):
            best = (number, at)
    missing = [f for f in NEEDED if f not in best[1]]
    if missing:
        said = "；".join("/".join(HEADS[f][:3]) for f in missing)
        raise ComplaintRefused("heads", heads=said)
    return best


def _open(name: str, data: bytes) -> list[Sequence[object]]:
    if len(data) > MAX_BYTES:
        raise ComplaintRefused("table_large", mb=f"{MAX_BYTES / 1e6:g}")
    table = _open_excel(data) if data[:4] == b"PK\x03\x04" else _open_csv(name, data)
    if len(table) > MAX_ROWS + 10:
        raise ComplaintRefused("table_rows", n=len(table), most=MAX_ROWS)
    return table


def _open_excel(data: bytes) -> list[Sequence[object]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(i.file_size for i in packed.infolist()) > MAX_UNPACKED:
                raise ComplaintRefused("table_large", mb=f"{MAX_BYTES / 1e6:g}")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(max_row=MAX_ROWS + 20, max_col=MAX_COLUMNS, values_only=True)
        return list(rows)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError) as e:
        raise ComplaintRefused("table") from e


def _open_csv(name: str, data: bytes) -> list[Sequence[object]]:
    if name.lower().endswith(".xls") or b"\x00" in data:
        raise ComplaintRefused("table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise ComplaintRefused("table") from None
    head = text.split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    try:
        return [r[:MAX_COLUMNS] for r in csv.reader(io.StringIO(text, newline=""), delimiter=mark)]
    except csv.Error as e:
        raise ComplaintRefused("table") from e


def _cell(x: object) -> object:
    """A cell as text; a time of Excel as local time, a whole number without its point."""
    if x is None:
        return ""
    if isinstance(x, datetime):
        return x.isoformat(sep=" ", timespec="seconds")
    if isinstance(x, date):
        return x.isoformat()
    if isinstance(x, float) and x.is_integer():
        return str(int(x))
    return str(x).strip()
