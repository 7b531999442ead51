"""Whether a flow may be published into a county: every fault with its place and its mend."""

import re
from collections.abc import Iterable, Iterator

from ingest.adapters import make_adapters
from ingest.onboarding.flow import KINDS, MAPPED, Flow, FlowDevice, MapRow, Source, overlap
from ingest.onboarding.rows import make_points
from ingest.onboarding.state import State
from ingest.onboarding.troubles import Trouble, make_trouble
from ingest.things.check import KEY, check_measure
from twin.model.check_points import list_place_ids
from twin.model.county import County
from twin.model.points import POINT_KINDS

FLOW_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MAX_DEVICES, MAX_MAPS, MAX_POINTS = 2000, 300, 20_000
_WORDS = {
    "format": ("json", "csv"),
    "device_from": ("topic", "field", "fixed"),
    "time_format": ("auto", "ms", "s", "iso", "local"),
}


def check_flow(flow: Flow, county: County, state: State) -> tuple[Trouble, ...]:
    """Return the troubles of ``flow`` in the order of its blocks.

    Parameters
    ----------
    county : without what was onboarded
    state : the other flows; an older version of this one does not count
    """
    return (
        *_check_name(flow),
        *_check_source(flow, state),
        *_check_maps(flow.maps),
        *_check_devices(flow.devices, list_place_ids(county)),
        *_check_against(flow, county, state),
        *_check_links(flow),
    )


def _check_name(flow: Flow) -> Iterator[Trouble]:
    if not FLOW_ID.fullmatch(flow.id):
        yield make_trouble("source", "flow_id", id=repr(flow.id))
    if not flow.name.strip() or len(flow.name) > 80 or not flow.name.isprintable():
        yield make_trouble("source", "flow_name")


def _check_source(flow: Flow, state: State) -> Iterator[Trouble]:
    if flow.dialect != MAPPED:
        if flow.dialect not in {a.name for a in make_adapters()}:
            yield make_trouble("source", "no_source")
        return
    source = flow.source
    if source is None:
        yield make_trouble("source", "no_source")
        return
    if not is_good_filter(source.filter):
        yield make_trouble("source", "bad_filter", filter=repr(source.filter))
        return
    others = [(a.name, f) for a in make_adapters() for f in a.filters]
    others += [
        (f.name, f.source.filter) for f in state.live if f.source is not None and f.id != flow.id
    ]  # fmt: skip
    for name, theirs in others:
        if overlap(source.filter, theirs):
            yield make_trouble("source", "filter_taken", filter=source.filter, other=name, theirs=theirs)
    for field, words in _WORDS.items():
        value = getattr(source, field)
        if value not in words:
            yield make_trouble("decode", "bad_source", field=field, value=repr(value), words=", ".join(words))
    yield from _check_where(source)


def _check_where(source: Source) -> Iterator[Trouble]:
    at = source.device_at
    if source.device_from == "topic" and not (at.isdecimal() and 1 <= int(at) <= 50):
        yield make_trouble("decode", "bad_source", field="device_at", value=repr(at), words="1, 2, 3, ...")
    elif not at:
        yield make_trouble("decode", "bad_source", field="device_at", value="''", words="path.of.the.name")
    if not -840 <= source.utc_offset_min <= 840:
        yield make_trouble(
            "decode", "bad_source", field="utc_offset_min", value=source.utc_offset_min, words="-840 ... 840"
        )


def is_good_filter(text: str) -> bool:
    """Whether ``text`` is an MQTT filter that begins with a fixed level (MQTT 5.0, 4.7.1)."""
    levels = text.split("/")
    first = next((x for x in levels if x), "")
    return (
        0 < len(text) <= 200
        and text.isprintable()
        and not text.startswith("$")
        and first not in ("", "+", "#")
        and all(x in ("+", "#") or not set(x) & {"+", "#"} for x in levels)
        and "#" not in levels[:-1]
    )


def _check_maps(maps: tuple[MapRow, ...]) -> Iterator[Trouble]:
    if not maps:
        yield make_trouble("map", "no_maps")
    if len(maps) > MAX_MAPS:
        yield make_trouble("map", "too_many", what="keys", n=len(maps), limit=MAX_MAPS)
    for field in ("external_key", "key"):
        for key in _twice(getattr(m, field) for m in maps):
            yield make_trouble("map", "map_twice", field=field, key=key)
    for m in maps:
        kind = POINT_KINDS.get(m.key)
        if not KEY.fullmatch(m.key):
            yield make_trouble("map", "bad_key", key=repr(m.key))
        elif kind is not None and kind.quantity != m.quantity:
            yield make_trouble("map", "kind_differs", key=m.key, expected=kind.quantity, found=m.quantity)
        if not m.external_key or m.external_key.startswith("~"):
            yield make_trouble("map", "bad_key", key=repr(m.external_key))
        for why in check_measure(m.quantity, m.unit, m.low, m.high):
            yield make_trouble("map", "bad_measure", key=m.key, why=why)
        if not 0.1 <= m.period_s <= 1e7 or not 0 <= m.deadband <= 1e18:
            yield make_trouble("map", "bad_period", key=m.key)


def _check_devices(devices: tuple[FlowDevice, ...], places: set[str]) -> Iterator[Trouble]:
    if not devices:
        yield make_trouble("map", "no_devices")
    if len(devices) > MAX_DEVICES:
        yield make_trouble("map", "too_many", what="devices", n=len(devices), limit=MAX_DEVICES)
    for name in _twice(d.external_id for d in devices):
        yield make_trouble("map", "device_twice", name=name)
    for d in devices:
        yield from check_device(d, places)


def check_device(d: FlowDevice, places: set[str]) -> Iterator[Trouble]:
    """Faults of one device by itself; ``places``: ids that a device may stand at."""
    if not 1 <= len(d.external_id) <= 80 or not d.external_id.isprintable() or d.external_id.startswith("~"):
        yield make_trouble("map", "bad_device", name=repr(d.external_id))
    if not d.name.isprintable() or len(d.name) > 80:
        yield make_trouble("map", "bad_device", name=repr(d.name))
    if not d.place_id:
        yield make_trouble("map", "no_place", name=d.external_id)
    elif d.place_id not in places:
        yield make_trouble("map", "unknown_place", name=d.external_id, place=repr(d.place_id))
    if len(d.part) > 40 or not d.part.isprintable() or set(d.part) & {"/", ":"}:
        yield make_trouble("map", "bad_part", name=d.external_id, part=repr(d.part))


def _check_against(flow: Flow, county: County, state: State) -> Iterator[Trouble]:
    """Names on the wire and points that others have already."""
    others = [d for d in (*county.devices, *state.devices) if not d.id.startswith(f"{flow.id}.")]
    wire = {(d.dialect, d.external_id): d.id for d in others}
    for d in flow.devices:
        other = wire.get((flow.dialect, flow.wire_name(d.external_id)))
        if other is not None:
            yield make_trouble("map", "device_taken", name=d.external_id, other=other)
    live = {f.device_id(d.external_id) for f in state.live if f.id != flow.id for d in f.devices}
    owner = {p.id: p.device_id for p in county.points}
    owner |= {p.id: p.device_id for p in state.points if p.device_id in live}  # others are retired or ours
    seen: dict[str, str] = {}
    points = make_points(flow) if len(flow.devices) * len(flow.maps) <= MAX_POINTS else ()
    if not points and flow.devices and flow.maps:
        n = len(flow.devices) * len(flow.maps)
        yield make_trouble("map", "too_many", what="points", n=n, limit=MAX_POINTS)
    for p in points:
        before = seen.setdefault(p.id, p.device_id)
        if before != p.device_id:
            yield make_trouble("map", "point_clash", name=p.device_id, other=before, point=p.id)
        if p.id in owner:
            yield make_trouble("map", "point_taken", point=p.id, other=owner[p.id])


def _check_links(flow: Flow) -> Iterator[Trouble]:
    if flow.blocks:
        for kind in KINDS:
            if not flow.is_linked(kind):
                yield make_trouble("publish", "not_linked", kind=kind)
                return


def _twice(keys: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [k for k in keys if k in seen or seen.add(k)]  # type: ignore[func-returns-value]
