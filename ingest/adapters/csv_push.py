"""CSV: topic ``csv/{device}/data``, a header line and rows, as loggers and exports write them.

Wide: ``ts,KEY1,KEY2`` with one row per time. Long: ``ts,key,value``. Times are milliseconds since 1970 or ISO
8601 with an offset; an empty cell is no reading. Comma, semicolon or tab; UTF-8, else GB 18030.
"""

import csv
import io

from ingest.adapters.base import MAX_PAYLOAD, Decoded, Directory, read_timestamp_ms
from ingest.adapters.times import read_iso_time
from twin.model.county import Device
from twin.model.errors import PayloadError

MAX_ROWS = 20_000
_STATES = {"true": True, "false": False}
_TIME = ("ts", "time", "timestamp", "时间")


class CsvAdapter:
    """Text that is a number counts as one: that is all a table can hold."""

    name = "csv"
    filters: tuple[str, ...] = ("csv/+/data",)
    clockless = False

    def matches(self, topic: str) -> bool:
        """See ``Adapter``."""
        parts = topic.split("/")
        return len(parts) == 3 and parts[0] == "csv" and parts[2] == "data"

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        device = directory.find_device(self.name, topic.split("/")[1])
        header, rows = _read_table(payload)
        if header[0].lower() not in _TIME or len(header) < 2:
            raise PayloadError(
                f"the first line must begin with ts and name the columns, not {header[0][:40]!r}"
            )
        long = [h.lower() for h in header[1:]] == ["key", "value"]
        out = Decoded()
        for number, cells in enumerate(rows, 2):
            if not any(cells):
                continue
            if len(cells) != len(header):
                out.problems.append(f"line {number}: {len(cells)} cells, {len(header)} are needed")
                continue
            pairs = [(cells[1], cells[2])] if long else list(zip(header[1:], cells[1:], strict=True))
            try:
                self._add_row(out, directory, device, cells[0], pairs, received)
            except PayloadError as e:
                out.problems.append(f"line {number}: {e}")
        if not out.point_no and out.problems:
            raise PayloadError("; ".join(out.problems[:3]))
        return out

    def _add_row(
        self, out: Decoded, directory: Directory, device: Device, stamp: str, pairs: list[tuple[str, str]],
        received: float,
    ) -> None:  # fmt: skip
        t = read_timestamp_ms(int(stamp), received) if stamp.isdecimal() else read_iso_time(stamp)
        values = {key: _number(text) for key, text in pairs if text != ""}
        out.add_values(directory, device, t, received, values)


def _read_table(payload: bytes) -> tuple[list[str], list[list[str]]]:
    if len(payload) > MAX_PAYLOAD:
        raise PayloadError(f"{len(payload)} bytes, at most {MAX_PAYLOAD} are read")
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = payload.decode("gb18030")
        except UnicodeDecodeError as e:
            raise PayloadError(f"neither UTF-8 nor GB 18030: {e.reason} at byte {e.start}") from e
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        table = [[c.strip() for c in row] for row in csv.reader(io.StringIO(text), delimiter=mark)]
    except csv.Error as e:
        raise PayloadError(f"not a table: {e}") from e
    if len(table) < 2 or not table[0]:
        raise PayloadError("a header line and at least one row are needed")
    if len(table) > MAX_ROWS:
        raise PayloadError(f"{len(table)} lines, at most {MAX_ROWS} are read")
    return table[0], table[1:]


def _number(text: str) -> object:
    if text.lower() in _STATES:  # as pandas and spreadsheets write them
        return _STATES[text.lower()]
    try:
        return float(text) if "_" not in text else text
    except ValueError:
        return text
