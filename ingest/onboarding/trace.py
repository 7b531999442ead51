"""One message through a flow: what every block makes of it, and what is wrong there, in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.adapters.base import FUTURE_S, OLDEST_S
from ingest.onboarding.check import check_flow, is_good_filter
from ingest.onboarding.flow import KINDS, MAPPED, Flow, MapRow, match_topic
from ingest.onboarding.learn import Learnt, RawValue, find_adapter, learn
from ingest.onboarding.rows import make_points
from ingest.onboarding.state import State
from ingest.onboarding.troubles import Trouble, has_errors, make_trouble
from ingest.worker.clocks import OFF_S
from twin.model.county import County
from twin.model.errors import InputError
from twin.model.quantities import QUANTITIES, VENDOR_UNITS, convert_to_si

PEEK = 400
MAX_SHOWN = 200
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one block made of the message. ``state``: ok, watch, bad or idle (it was not reached)."""

    kind: str
    state: str
    rows: tuple[Row, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came; ``received`` s since 1970 UTC."""

    topic: str
    payload: bytes
    received: float


def trace(flow: Flow, message: Message | None, county: County, state: State) -> tuple[Outcome, ...]:
    """Return the outcome of every block, in their order.

    Parameters
    ----------
    message : None when there is none yet; then only the flow itself is checked
    county : without what was onboarded
    """
    static = check_flow(flow, county, state)
    rows: dict[str, tuple[Row, ...]] = dict.fromkeys(KINDS, ())
    found: list[Trouble] = [*static]
    if has_errors(t for t in found if t.block != "publish"):
        found.append(make_trouble("publish", "errors_before"))
    if message is None:
        found.append(make_trouble("source", "no_payload"))
    else:
        found += _source(flow, message)
        rows["source"] = (_show_message(message),)
        readable = flow.dialect != MAPPED or flow.source is not None
        learnt = (
            learn(flow.dialect, flow.source, message.topic, message.payload, message.received)
            if readable and flow.is_linked("decode") and not _broken(found, ("source", "decode"))
            else None
        )
        if learnt is not None:
            found += _decode(learnt)
            rows["decode"] = tuple(_show_raw(v) for v in learnt.values[:MAX_SHOWN])
            rows["map"] = tuple(_show_mapped(flow, v) for v in learnt.values[:MAX_SHOWN])
            found += _map(flow, learnt.values)
            found += _check(flow, learnt.values, message.received)
            rows["check"] = tuple(_show_checked(flow, v, message.received) for v in learnt.values[:MAX_SHOWN])
    rows["publish"] = _show_points(flow, state)
    return tuple(_outcome(flow, kind, rows[kind], [t for t in found if t.block == kind]) for kind in KINDS)


def _broken(troubles: Sequence[Trouble], blocks: tuple[str, ...]) -> bool:
    return has_errors(t for t in troubles if t.block in blocks and t.code not in ("flow_id", "flow_name"))


def _outcome(flow: Flow, kind: str, rows: tuple[Row, ...], troubles: list[Trouble]) -> Outcome:
    if not flow.is_linked(kind):
        return Outcome(kind, "idle", (), (make_trouble(kind, "not_reached"),))
    state = "bad" if has_errors(troubles) else "watch" if troubles else "ok"
    return Outcome(kind, state, rows, tuple(troubles))


def _source(flow: Flow, m: Message) -> list[Trouble]:
    if flow.dialect != MAPPED:
        adapter = find_adapter(m.topic)
        if adapter is None or adapter.name != flow.dialect:
            return [make_trouble("source", "other_topic", topic=m.topic, filter=flow.dialect)]
    elif flow.source and is_good_filter(flow.source.filter) and not match_topic(flow.source.filter, m.topic):
        return [make_trouble("source", "other_topic", topic=m.topic, filter=flow.source.filter)]
    return []


def _decode(learnt: Learnt) -> list[Trouble]:
    if learnt.refused:
        return [make_trouble("decode", "unreadable", why=learnt.refused)]
    out = [make_trouble("decode", "partly", why=p) for p in learnt.problems[:5]]
    return out if learnt.values else [make_trouble("decode", "nothing_read"), *out]


def _find_map(flow: Flow, key: str) -> MapRow | None:
    return next((m for m in flow.maps if m.external_key == key), None)


def _map(flow: Flow, values: Sequence[RawValue]) -> list[Trouble]:
    keys = dict.fromkeys(v.key for v in values)
    out = [
        make_trouble("map", "not_mapped", key=k)
        for k in keys
        if _find_map(flow, k) is None and k not in flow.ignore
    ]
    listed = {d.external_id for d in flow.devices}
    names = dict.fromkeys(v.device for v in values)
    return out + [make_trouble("map", "not_listed", name=n) for n in names if n not in listed]


def _check(flow: Flow, values: Sequence[RawValue], received: float) -> list[Trouble]:
    out: list[Trouble] = []
    for v in values:
        m = _find_map(flow, v.key)
        if m is not None and not m.low <= v.number <= m.high:
            out.append(make_trouble("check", "out_of_range", key=v.key, value=v.number, unit=m.unit,
                                    low=m.low, high=m.high))  # fmt: skip
    for name, t in {v.device: v.t for v in values}.items():
        gap = t - received
        if gap > FUTURE_S or gap < -OLDEST_S:
            out.append(make_trouble("check", "clock_lost", name=name, gap=_span(gap)))
        elif abs(gap) > OFF_S:
            out.append(make_trouble("check", "clock_off", name=name, gap=_span(gap)))
    for (_, key, _), n in Counter((v.device, v.key, v.t) for v in values).items():
        if n > 1:
            out.append(make_trouble("check", "repeated", key=key, n=n))
    return out[:20]


def _span(seconds: float) -> str:
    sign = "+" if seconds > 0 else "\N{MINUS SIGN}"
    s = abs(seconds)
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if s >= 2 * size:
            return f"{sign}{s / size:.0f} {unit}"
    return f"{sign}{s:.0f} s"


def _show_message(m: Message) -> Row:
    text = m.payload[: 4 * PEEK].decode("utf-8", "replace")
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{MIDDLE DOT}" for c in text)[:PEEK]
    return {"topic": m.topic, "bytes": len(m.payload), "text": shown}


def _stamp(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _show_raw(v: RawValue) -> Row:
    return {"device": v.device, "key": v.key, "number": v.number, "t": v.t, "time": _stamp(v.t)}


def _show_mapped(flow: Flow, v: RawValue) -> Row:
    m = _find_map(flow, v.key)
    if m is None:
        state = "ignored" if v.key in flow.ignore else "open"
        return {"device": v.device, "key": v.key, "state": state}
    where = next((d.where for d in flow.devices if d.external_id == v.device), "")
    row: Row = {"device": v.device, "key": v.key, "state": "mapped", "point": f"{where or '?'}/{m.key}"}
    q = QUANTITIES.get(m.quantity)
    if q is not None and m.unit in VENDOR_UNITS:
        row |= {"value": convert_to_si(v.number, m.unit) * q.scale, "unit": q.display_unit,
                "decimals": q.decimals, "quantity": m.quantity}  # fmt: skip
    return row


def _show_checked(flow: Flow, v: RawValue, received: float) -> Row:
    row = _show_mapped(flow, v)
    m = _find_map(flow, v.key)
    gap = v.t - received
    row["quality"] = (
        "none" if m is None
        else "clock" if gap > FUTURE_S or gap < -OLDEST_S
        else "range" if not m.low <= v.number <= m.high
        else "good"
    )  # fmt: skip
    return row


def _show_points(flow: Flow, state: State) -> tuple[Row, ...]:
    try:
        points = make_points(flow)
    except InputError:  # an unknown unit; the map block says so
        return ()
    numbers = {p.id: p.no for p in state.points}
    names = {m.key: m.name for m in flow.maps}
    return tuple(
        {"point": p.id, "device": p.device_id, "name": names.get(p.key, ""), "new": p.id not in numbers}
        for p in points[:MAX_SHOWN]
    )
