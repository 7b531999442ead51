"""The shape of a thing model, after the property, event and service of GB/T 40689 and the vendors' clouds.

Numbers of a property (``low``, ``high``, ``deadband``, ``normal``) are in its own ``unit``, as on the data
sheet; ``convert_to_si`` turns them where a point is made of it.
"""

import msgspec


class RegisterAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a Modbus device keeps the property, usually: a proposal, every maker has his own map.

    ``kind`` and ``order`` as in docs/gateways.md; ``value = raw * scale + offset`` in the property's unit.
    """

    address: int
    table: str = "holding"
    kind: str = "f32"
    order: str = "CDAB"
    scale: float = 1.0
    offset: float = 0.0


class Property(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured number.

    ``key``: point kind; ``low``/``high``: the sensor's range; ``period_s``: usual sampling period;
    ``deadband``: send-on-change step, 0 for none; ``normal``: usual values (of a counter: per hour), from
    which the simulator draws; ``counter``: only rises; ``names``: how vendors call it on the wire;
    ``words``: what the numbers 0, 1, ... mean, in (Chinese, English).
    """

    key: str
    quantity: str
    unit: str
    low: float
    high: float
    period_s: float
    zh: str
    en: str
    normal: tuple[float, float]
    deadband: float = 0.0
    counter: bool = False
    names: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    register: RegisterAt | None = None


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something worth telling: ``property`` is ``above``, ``below`` or ``equals`` the ``value`` for
    ``delay_s``. ``level`` 1 (red) to 4 (blue)."""

    key: str
    property: str
    test: str
    value: float
    level: int
    zh: str
    en: str
    delay_s: float = 0.0


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number given to a service, with its limits in ``unit``."""

    key: str
    quantity: str
    unit: str
    low: float
    high: float
    zh: str
    en: str


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something the device can be told to do. ``read_back``: property that shows it was done;
    ``timeout_s``: how long that may take; ``approval``: a second person must agree."""

    key: str
    zh: str
    en: str
    parameters: tuple[Parameter, ...] = ()
    read_back: str = ""
    timeout_s: float = 30.0
    approval: bool = True


class ThingModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of device. ``hints``: words in topics and device names that point to it; ``alone``: there is
    one at a place, so that its points are the place's own (``S07/p1_ts``), not those of a part of it."""

    id: str
    version: int
    domain: str
    zh: str
    en: str
    properties: tuple[Property, ...]
    hints: tuple[str, ...] = ()
    alone: bool = False
    events: tuple[Event, ...] = ()
    services: tuple[Service, ...] = ()

    def find(self, key: str) -> Property | None:
        """The property of a key, or None."""
        return next((p for p in self.properties if p.key == key), None)

    def name(self, lang: str) -> str:
        """Its name in a language."""
        return self.zh if lang == "zh" else self.en
