"""From a message of a stranger to a draft of a flow: how it is read, and which thing model it looks like.

The score of a model is between 0 and 1: how many of the message's keys it knows by name (and with values in
range), how much of the model is there, and whether the topic or the device's name hints at it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ingest.adapters.json_object import decode_json, flatten
from ingest.adapters.mapped import pick
from ingest.onboarding.flow import MAPPED, Flow, FlowDevice, MapRow, Source
from ingest.onboarding.learn import Learnt, RawValue, find_adapter, learn
from ingest.onboarding.trace import Message
from ingest.things.schema import Property, ThingModel
from twin.model.check_table import UNIT_CARRIES
from twin.model.errors import PayloadError
from twin.model.quantities import VENDOR_UNITS, convert_to_si

ENOUGH = 0.3
"""Below this score a model is not proposed."""
_TIMES = ("ts", "time", "timestamp", "t", "datetime", "date", "collecttime", "uptime", "时间", "采集时间")
_NAMES = (
    "deviceid", "device", "deviceno", "devicecode", "devicename", "dev", "sn", "imei", "mac", "deveui", "id",
    "code", "no", "addr", "meterid", "station", "设备编号", "编号",
)  # fmt: skip
_PLAIN = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Match:
    """A model and how well it fits; ``maps``: what its properties make of the keys."""

    model: ThingModel
    score: float
    maps: tuple[MapRow, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal: a flow to go on with, and the models it could be, best first."""

    flow: Flow
    matches: tuple[Match, ...]
    learnt: Learnt


def propose(message: Message, models: Mapping[str, ThingModel]) -> Draft:
    """Return a draft for one message; what cannot be guessed stays empty."""
    adapter = find_adapter(message.topic)
    source = None if adapter is not None else guess_source(message)
    dialect = adapter.name if adapter is not None else MAPPED
    learnt = learn(dialect, source, message.topic, message.payload, message.received)
    matches = rank_models(learnt.values, message.topic, models)
    best = matches[0] if matches else None
    names = tuple(dict.fromkeys(v.device for v in learnt.values))
    kind = best.model.id if best else "rtu"
    flow = Flow(
        id=_make_id(kind, names, message.received),
        name=best.model.zh if best else "",
        dialect=dialect,
        source=source,
        model=best.model.id if best else "",
        kind=kind,
        devices=tuple(
            FlowDevice(n, n, "", "" if best and best.model.alone and len(names) == 1 else as_part(n))
            for n in names[:100]
        ),
        maps=best.maps if best else (),
    )
    return Draft(flow, matches, learnt)


def _make_id(kind: str, names: tuple[str, ...], now: float) -> str:
    word = _PLAIN.sub("-", names[0].lower()).strip("-") if names and names[0].isascii() else ""
    return f"{kind.replace('_', '-')}-{word or int(now)}"[:40].strip("-")


def as_part(name: str) -> str:
    """A device's name as the part of a place that it measures."""
    return name.replace("/", "-").replace(":", "-")[-40:]


def guess_source(message: Message) -> Source:
    """How a message of no known dialect could be read: where time, name and values stand."""
    levels = message.topic.split("/")
    at = next((i for i in range(len(levels) - 1, 0, -1) if any(c.isdigit() for c in levels[i])), 0)
    at = at or min(1, len(levels) - 1)
    free = "/".join("+" if i == at and i else level for i, level in enumerate(levels))
    source = Source(free, device_at=str(at + 1))
    try:
        body = decode_json(message.payload)
    except PayloadError:
        return _guess_csv(message, source)
    rows, path = _find_rows(body)
    first = rows[0] if rows else body
    if not isinstance(first, dict):
        return source
    values = _find_values(first)
    flat = flatten(first)
    clock = next((k for k in flat if _last(k) in _TIMES), "")
    named = next((k for name in _NAMES for k, v in flat.items() if _last(k) == name and _is_name(v)), "")
    inside = pick(first, values)
    texts = [v for v in (flatten(inside) if isinstance(inside, dict) else {}).values() if isinstance(v, str)]
    in_field = bool(named) and (bool(path) or not any(c.isdigit() for c in levels[at]))
    return Source(
        free if not in_field else message.topic, rows=path, values=values, time=clock,
        device_from="field" if in_field else "topic", device_at=named if in_field else str(at + 1),
        text_numbers=any(_is_number(x) for x in texts),
    )  # fmt: skip


def _guess_csv(message: Message, source: Source) -> Source:
    head = message.payload.decode("utf-8", "replace").partition("\n")[0]
    cells = [c.strip() for c in re.split(r"[,;\t]", head)]
    if len(cells) < 2:
        return source
    clock = next((c for c in cells if c.lower() in _TIMES), "")
    named = next((c for c in cells if c.lower() in _NAMES), "")
    return Source(
        message.topic if named else source.filter, format="csv", time=clock,
        device_from="field" if named else "topic", device_at=named or source.device_at,
    )  # fmt: skip


def _last(path: str) -> str:
    return path.rpartition(".")[2].lower().replace("_", "")


def _is_name(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _find_rows(body: object) -> tuple[list[dict[str, object]], str]:
    """The list of objects in a message, and its path; a list at the top has the path "" as well."""
    if isinstance(body, list):
        return [r for r in body if isinstance(r, dict)], ""
    if isinstance(body, dict):
        for key, value in body.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                return [r for r in value if isinstance(r, dict)], str(key)
    return [], ""


def _find_values(row: Mapping[str, object]) -> str:
    """Path of the nested object that holds the most numbers, "" for the row itself."""
    best, most = "", _count(row)
    for key, value in row.items():
        if isinstance(value, dict):
            inner = _find_values(value)
            found = value if not inner else pick(value, inner)
            number = _count(found) if isinstance(found, dict) else 0
            if number > most or (number == most and number and not best):
                best, most = (f"{key}.{inner}" if inner else key), number
    return best


def _count(row: Mapping[str, object]) -> int:
    """How many plain measured values an object holds by itself."""
    measured = (v for k, v in row.items() if _last(k) not in (*_TIMES, *_NAMES))
    return sum(isinstance(v, (int, float)) or (isinstance(v, str) and _is_number(v)) for v in measured)


def rank_models(
    values: Iterable[RawValue], topic: str, models: Mapping[str, ThingModel]
) -> tuple[Match, ...]:
    """The models that the keys look like, best first, three at most."""
    sample = {v.key: v.number for v in values}
    names = " ".join([topic, *dict.fromkeys(v.device for v in values)]).lower()
    found = [_match(sample, names, m) for m in models.values()]
    good = [m for m in found if m.score >= ENOUGH and m.maps]
    return tuple(sorted(good, key=lambda m: (-m.score, m.model.id))[:3])


def _match(sample: Mapping[str, float], names: str, model: ThingModel) -> Match:
    maps: list[MapRow] = []
    taken: set[str] = set()
    in_range = 0
    for key, number in sample.items():
        p = next((p for p in model.properties if p.key not in taken and _fits(p, key)), None)
        if p is None:
            continue
        taken.add(p.key)
        row, good = map_property(p, key, number)
        maps.append(row)
        in_range += good
    if not maps:
        return Match(model, 0.0, ())
    keys = len(maps) / len(sample)
    share = len(maps) / len(model.properties)
    hint = any(h in names for h in model.hints)
    score = 0.55 * keys + 0.15 * share + 0.1 * in_range / len(maps) + 0.2 * hint
    return Match(model, round(score, 3), tuple(maps))


def _plain(text: str) -> str:
    return _PLAIN.sub("", text.lower())


def _fits(p: Property, key: str) -> bool:
    own = re.split(r"[./]", key)[-1]
    return _plain(own) in {_plain(n) for n in (p.key, p.zh, *p.names)}


def map_property(p: Property, external_key: str, number: float | None = None) -> tuple[MapRow, bool]:
    """The row of a property for a key, and whether ``number`` lies in its range.

    Where it does not in the model's own unit but does in exactly one other of the quantity, or is usual in
    exactly one, that unit is proposed: a pressure of 850 is no 850 MPa.
    """
    unit = p.unit
    good = number is None or p.low <= number <= p.high
    if number is not None and not good and not p.counter:
        low, high = convert_to_si(p.low, p.unit), convert_to_si(p.high, p.unit)
        scales: dict[tuple[float, float], str] = {}
        for u, kinds in UNIT_CARRIES.items():
            if u and p.quantity in kinds and low <= convert_to_si(number, u) <= high:
                scales.setdefault(VENDOR_UNITS[u], u)
        usual = [u for u in scales.values() if _is_usual(p, convert_to_si(number, u))]
        likely = usual if len(usual) == 1 else list(scales.values())
        if len(likely) == 1:
            unit, good = likely[0], True
    return MapRow(
        external_key, p.key, p.quantity, unit, *_in_unit(p, unit), p.period_s, _step(p, unit), p.zh
    ), good


def _is_usual(p: Property, value_si: float) -> bool:
    low, high = (convert_to_si(x, p.unit) for x in p.normal)
    slack = 0.5 * (high - low)
    return low - slack <= value_si <= high + slack


def _in_unit(p: Property, unit: str) -> tuple[float, float]:
    if unit == p.unit:
        return p.low, p.high
    scale, offset = VENDOR_UNITS[unit]
    low, high = (float(f"{(convert_to_si(x, p.unit) - offset) / scale:.9g}") for x in (p.low, p.high))
    return low, high


def _step(p: Property, unit: str) -> float:
    if unit == p.unit:
        return p.deadband
    return float(f"{p.deadband * VENDOR_UNITS[p.unit][0] / VENDOR_UNITS[unit][0]:.6g}")
