"""What must hold in a thing model beyond its shape; every fault names the place and the mend."""

import re
from collections.abc import Iterable, Iterator

from ingest.gateways.modbus import FUNCTIONS, KINDS, ORDERS
from ingest.things.schema import Event, Parameter, Property, RegisterAt, Service, ThingModel
from twin.model.check_table import UNIT_CARRIES
from twin.model.points import POINT_KINDS
from twin.model.quantities import QUANTITIES, VENDOR_UNITS, convert_to_si

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
TESTS = ("above", "below", "equals")


def check_model(model: ThingModel) -> tuple[str, ...]:
    """Return the faults of ``model`` as sentences, in its order; none when it may be used."""
    found = list(_check_key("id", model.id))
    if model.version < 1:
        found.append(f"version is {model.version}: count from 1")
    if not model.properties:
        found.append("it has no properties: write at least one")
    found += _find_twice("property", (p.key for p in model.properties))
    found += _find_twice("event", (e.key for e in model.events))
    found += _find_twice("service", (s.key for s in model.services))
    for p in model.properties:
        found += [f"property {p.key}: {x}" for x in _check_property(p)]
    for e in model.events:
        found += [f"event {e.key}: {x}" for x in _check_event(e, model)]
    for s in model.services:
        found += [f"service {s.key}: {x}" for x in _check_service(s, model)]
    return tuple(found)


def _check_key(field: str, key: str) -> Iterator[str]:
    if not KEY.fullmatch(key):
        yield f"{field} is {key!r}: write small letters, digits and _, a letter first, 40 at most"


def _find_twice(what: str, keys: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            yield f"{what} {key} stands there twice: give the second one another key"
        seen.add(key)


def check_measure(quantity: str, unit: str, low: float, high: float) -> Iterator[str]:
    """Faults of a quantity with its unit and range (in the unit)."""
    if quantity not in QUANTITIES:
        yield f"quantity {quantity!r} is not known; one of: {', '.join(sorted(QUANTITIES))}"
        return
    if unit not in VENDOR_UNITS:
        yield f"unit {unit!r} is not known; one of: {', '.join(filter(None, sorted(VENDOR_UNITS)))}"
        return
    if quantity not in UNIT_CARRIES.get(unit, (quantity,)):
        fit = sorted(u for u in VENDOR_UNITS if u and quantity in UNIT_CARRIES.get(u, ()))
        yield f"unit {unit!r} cannot carry {quantity}; use one of: {', '.join(fit)}"
        return
    if not low < high:
        yield f"low {low:g} must be below high {high:g}"
    q = QUANTITIES[quantity]
    low_si, high_si = convert_to_si(low, unit), convert_to_si(high, unit)
    slack = 1e-9 * max(abs(q.low), abs(q.high))
    if low_si < q.low - slack or high_si > q.high + slack:
        yield (
            f"its range {low:g} to {high:g} {unit} leaves what {quantity} may be at all "
            f"({q.low:g} to {q.high:g} {q.si_unit}): mend low, high or the unit"
        )


def _check_property(p: Property) -> Iterator[str]:
    yield from _check_key("key", p.key)
    yield from check_measure(p.quantity, p.unit, p.low, p.high)
    kind = POINT_KINDS.get(p.key)
    if kind is not None and kind.quantity != p.quantity:
        yield f"the point kind {p.key} measures {kind.quantity}, not {p.quantity}: use another key"
    if not 0.1 <= p.period_s <= 1e7:
        yield f"period_s is {p.period_s:g}: 0.1 to 10000000 s"
    if p.deadband < 0:
        yield f"deadband is {p.deadband:g}: 0 for none, else a positive step"
    usual_low, usual_high = p.normal
    if not usual_low <= usual_high:
        yield f"normal is {usual_low:g} to {usual_high:g}: the smaller value first"
    if not p.counter and not (p.low <= usual_low and usual_high <= p.high):
        yield f"normal {usual_low:g} to {usual_high:g} lies outside {p.low:g} to {p.high:g}"
    if p.words and (p.low != 0 or p.high != len(p.words) - 1):
        yield f"it has {len(p.words)} words, so its range must be 0 to {len(p.words) - 1}"
    if p.register is not None:
        yield from (f"register: {x}" for x in _check_register(p.register))


def _check_register(r: RegisterAt) -> Iterator[str]:
    for field, value, legal in (
        ("table", r.table, tuple(FUNCTIONS)),
        ("kind", r.kind, tuple(KINDS)),
        ("order", r.order, ORDERS),
    ):
        if value not in legal:
            yield f"{field} is {value!r}; one of: {', '.join(legal)}"
    if not 0 <= r.address <= 65_535:
        yield f"address is {r.address}: 0 to 65535, counted as in the protocol (40001 is 0)"
    if (r.kind == "bit") != (r.table in ("coil", "discrete")):
        yield f"{r.kind} does not lie in {r.table}: bit goes with coil and discrete, numbers with the others"
    if r.scale == 0:
        yield "scale is 0: then every value would be the same"


def _check_event(e: Event, model: ThingModel) -> Iterator[str]:
    yield from _check_key("key", e.key)
    p = model.find(e.property)
    if p is None:
        yield f"property {e.property!r} is none of this model's: {', '.join(x.key for x in model.properties)}"
    elif not p.counter and not p.low <= e.value <= p.high:
        yield f"value {e.value:g} lies outside {p.low:g} to {p.high:g} {p.unit} and would never be reached"
    if e.test not in TESTS:
        yield f"test is {e.test!r}; one of: {', '.join(TESTS)}"
    if not 1 <= e.level <= 4:
        yield f"level is {e.level}: 1 (red) to 4 (blue)"
    if e.delay_s < 0:
        yield f"delay_s is {e.delay_s:g}: 0 or more"


def _check_service(s: Service, model: ThingModel) -> Iterator[str]:
    yield from _check_key("key", s.key)
    if s.read_back and model.find(s.read_back) is None:
        yield f"read_back {s.read_back!r} is no property of this model: name one, or leave it away"
    if not 0 < s.timeout_s <= 3600:
        yield f"timeout_s is {s.timeout_s:g}: above 0, at most 3600"
    yield from _find_twice("parameter", (p.key for p in s.parameters))
    for p in s.parameters:
        yield from (f"parameter {p.key}: {x}" for x in _check_parameter(p))


def _check_parameter(p: Parameter) -> Iterator[str]:
    yield from _check_key("key", p.key)
    yield from check_measure(p.quantity, p.unit, p.low, p.high)
