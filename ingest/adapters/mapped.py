"""Messages of no known dialect, read as a flow of the onboarding page says (``ingest.onboarding.flow``).

The last adapter: it takes every topic the others leave, and looks for a source among those of the directory.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from ingest.adapters.base import MAX_PAYLOAD, Decoded, Directory, read_timestamp_ms
from ingest.adapters.json_object import decode_json, flatten
from ingest.adapters.times import read_iso_time
from ingest.onboarding.flow import MAPPED, Source, match_topic
from twin.model.errors import PayloadError

MAX_ROWS = 20_000
_LOCAL = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y-%m-%d %H:%M")
Row = Mapping[str, object]


class MappedAdapter:
    """One for all flows; it keeps nothing between messages."""

    name = MAPPED
    filters: tuple[str, ...] = ()
    clockless = False

    def matches(self, topic: str) -> bool:
        """Whatever no other adapter reads: it is asked last."""
        return True

    def decode(self, topic: str, payload: bytes, received: float, directory: Directory) -> Decoded:
        """See ``Adapter``."""
        found = find_source(directory.sources, topic)
        if found is None:
            raise PayloadError("no adapter reads this topic: onboard it on the page 设备接入")
        flow_id, source = found
        out = Decoded()
        for number, row in enumerate(read_rows(source, payload), 1):
            try:
                name = read_device(source, topic, row)
                device = directory.find_device(self.name, f"{flow_id}/{name}")
                out.add_values(
                    directory, device, read_time(source, row, received), received, read_values(source, row)
                )
            except PayloadError as e:
                out.problems.append(f"row {number}: {e}" if source.rows or source.format == "csv" else str(e))
        if not out.point_no and out.problems:
            raise PayloadError("; ".join(out.problems[:3]))
        return out


def find_source(sources: Mapping[str, Source], topic: str) -> tuple[str, Source] | None:
    """(flow id, source) whose filter lets ``topic`` pass."""
    return next(((k, s) for k, s in sources.items() if match_topic(s.filter, topic)), None)


def read_rows(source: Source, payload: bytes) -> list[Row]:
    """The objects of a message, each with its own time and values.

    Raises
    ------
    PayloadError : not what the source says
    """
    if len(payload) > MAX_PAYLOAD:
        raise PayloadError(f"{len(payload)} bytes, at most {MAX_PAYLOAD} are read")
    if source.format == "csv":
        rows: list[object] = list(_read_csv(payload))
    else:
        body = decode_json(payload)
        listed = pick(body, source.rows) if source.rows else body
        rows = listed if isinstance(listed, list) else [listed]
        if source.rows and not isinstance(listed, list):
            raise PayloadError(f"{source.rows!r} is no list: name the path of the list of rows, or none")
    if len(rows) > MAX_ROWS:
        raise PayloadError(f"{len(rows)} rows, at most {MAX_ROWS} are read")
    good: list[Row] = [r for r in rows if isinstance(r, dict)]
    if len(good) < len(rows) or not good:
        raise PayloadError("an object with names is needed, or a list of such objects")
    return good


def _read_csv(payload: bytes) -> Iterator[dict[str, object]]:
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = payload.decode("gb18030", "replace")
    mark = max(",;\t", key=text.partition("\n")[0].count)
    try:
        table = [[c.strip() for c in line] for line in csv.reader(io.StringIO(text), delimiter=mark) if line]
    except csv.Error as e:
        raise PayloadError(f"not a table: {e}") from e
    if len(table) < 2:
        raise PayloadError("a header line and at least one row are needed")
    for number, line in enumerate(table[1:], 2):
        if len(line) != len(table[0]):
            raise PayloadError(f"line {number}: {len(line)} cells, {len(table[0])} are needed")
        yield {k: v for k, v in zip(table[0], line, strict=True) if v != ""}


def pick(body: object, path: str) -> object:
    """The value at a path, names joined by dots; None when there is none."""
    for name in path.split(".") if path else ():
        if isinstance(body, dict) and name in body:
            body = body[name]
        elif isinstance(body, list) and name.isdecimal() and int(name) < len(body):
            body = body[int(name)]
        else:
            return None
    return body


def read_device(source: Source, topic: str, row: Row) -> str:
    """What the device calls itself.

    Raises
    ------
    PayloadError : it is not where the source says
    """
    at = source.device_at
    if source.device_from == "fixed":
        return at
    if source.device_from == "topic":
        levels = topic.split("/")
        number = int(at) if at.isdecimal() else 0
        if not 1 <= number <= len(levels):
            raise PayloadError(f"topic {topic[:80]!r} has no level {at}: mend where the device's name stands")
        return levels[number - 1]
    name = pick(row, at)
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        raise PayloadError(f"no device name at {at!r}: mend where the device's name stands")
    return str(name)


def read_time(source: Source, row: Row, received: float) -> float:
    """Measuring time, s since 1970 UTC.

    Raises
    ------
    PayloadError : not a time of the format of the source
    """
    raw = pick(row, source.time) if source.time else None
    if raw is None:
        return received
    form = source.time_format
    if isinstance(raw, str) and raw.strip().isdecimal() and form in ("auto", "ms", "s"):
        raw = int(raw)
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        short = form == "s" or (form == "auto" and abs(raw) < 1e11)
        return read_timestamp_ms(raw * 1000 if short else raw, received)
    if form == "local" or (form == "auto" and isinstance(raw, str) and _is_local(raw)):
        return _read_local(str(raw), source.utc_offset_min)
    return read_iso_time(raw)


def _is_local(text: str) -> bool:
    try:
        read_iso_time(text)
    except PayloadError:
        return True
    return False


def _read_local(text: str, offset_min: int) -> float:
    for form in _LOCAL:
        try:
            moment = datetime.strptime(text.strip(), form)
        except ValueError:
            continue
        t = (moment.replace(tzinfo=UTC) - timedelta(minutes=offset_min)).timestamp()
        if 0 <= t < 4.2e9:
            return t
    raise PayloadError(f"time {text[:40]!r}: a local time such as 2026-01-31 08:00:00 is needed")


def read_values(source: Source, row: Row) -> dict[str, object]:
    """Vendor key -> raw value of one row, without the fields that are time and name.

    Raises
    ------
    PayloadError : there is no object where the source says
    """
    if source.key_field:
        name = pick(row, source.key_field)
        if not isinstance(name, str):
            raise PayloadError(f"no name of a value at {source.key_field!r}")
        return {name: _number(source, pick(row, source.value_field or "value"))}
    body = pick(row, source.values)
    if not isinstance(body, dict):
        raise PayloadError(f"no object with values at {source.values!r}")
    beginning = f"{source.values}." if source.values else ""
    taken = {source.time, source.device_at if source.device_from == "field" else ""}
    return {
        key: _number(source, value)
        for key, value in flatten(body).items()
        if beginning + key not in taken and not isinstance(value, list)
    }


def _number(source: Source, raw: object) -> object:
    """Texts that stand for numbers as numbers; anything else as it is, to be refused in words."""
    if isinstance(raw, str):
        if raw in source.words:
            return source.words[raw]
        if source.text_numbers or source.format == "csv":
            try:
                return float(raw) if "_" not in raw else raw
            except ValueError:
                return raw
    return raw
