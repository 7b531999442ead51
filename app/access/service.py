"""What the onboarding page can ask and do; plain data in and out, no HTTP here."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from app.access.show import show_draft, show_flow, show_message, show_model, show_outcomes, show_trouble
from app.web.context import Context
from ingest.adapters import make_adapters
from ingest.onboarding import publish as acts
from ingest.onboarding.check import check_flow, is_good_filter
from ingest.onboarding.excel import make_template, merge_devices, read_sheet
from ingest.onboarding.flow import Flow, FlowDevice, match_topic
from ingest.onboarding.learn import learn
from ingest.onboarding.listen import check_connection, listen
from ingest.onboarding.propose import Draft, as_part, map_property, propose
from ingest.onboarding.simulator import Simulator, can_simulate
from ingest.onboarding.state import State, merge_county, read_state
from ingest.onboarding.trace import Message, trace
from ingest.onboarding.troubles import has_errors, make_trouble
from ingest.reasons import translate_reason
from ingest.settings import parse_mqtt_url
from ingest.store.api import DeadLetter, Notice
from ingest.things import ThingModel, find_model, load_library
from twin.model.check_points import list_place_ids
from twin.model.check_table import UNIT_CARRIES
from twin.model.county import County, Point
from twin.model.errors import InputError, StoreUnavailable
from twin.model.quantities import QUANTITIES, VENDOR_UNITS

Data = dict[str, Any]
MAX_STRANGERS = 12
LETTERS = 300


def strip_county(county: County, state: State) -> County:
    """``county`` without what was onboarded."""
    points, devices = {p.id for p in state.points}, {d.id for d in state.devices}
    if not points and not devices:
        return county
    return replace(
        county,
        points=tuple(p for p in county.points if p.id not in points),
        devices=tuple(d for d in county.devices if d.id not in devices),
    )


def current_points(context: Context) -> dict[str, Point]:
    """Points by id, those onboarded since the start included."""
    return context.county.point_by_id


class Access:
    """One per server.

    Parameters
    ----------
    context : its county is replaced by one with the new devices after each change
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._folder = context.settings.county
        self.base = strip_county(context.county, read_state(self._folder))
        self._broker = parse_mqtt_url(context.settings.mqtt_url)
        self._simulator: Simulator | None = None
        self._place_names = name_places(self.base)
        self._seen: dict[str, Data] = {}
        if any(not s.until for s in self.state().simulated):
            self._simulate()

    def state(self) -> State:
        """What is published now."""
        return read_state(self._folder)

    def models(self) -> Mapping[str, ThingModel]:
        """Thing models, the county's own included."""
        return load_library(self._folder)

    def moving(self, lang: str) -> Data:
        """What changes while the page is open."""
        state = self.state()
        return {
            "revision": state.revision,
            "taken": self.taken(),
            "flows": [show_flow(k, state, can_simulate(k.versions[-1].flow)) for k in state.flows],
            "strangers": self.strangers(lang),
            "scout": self.scout(lang),
        }

    def overview(self, lang: str) -> Data:
        """Everything the page starts with."""
        return {
            **self.moving(lang),
            "timezone": self.base.meta.timezone,
            "models": [show_model(m, lang) for m in self.models().values()],
            "places": [{"id": i, "name": n} for i, n in self._place_names.items()],
            "dialects": [a.name for a in make_adapters()],
            "quantities": [
                {"key": q.key, "name": q.zh if lang == "zh" else q.en, "units": units_of(q.key)}
                for q in QUANTITIES.values()
            ],
        }

    def scout(self, lang: str) -> str:
        """What the last look for strangers has heard, or why none is heard; empty: none yet."""
        return next((translate_reason(n.detail, lang) for n in self._notices() if n.kind == "scout"), "")

    def _notices(self) -> list[Notice]:
        try:
            found: list[Notice] = self._context.ask("onboarding", 0.5, self._context.store.notices)
            return found
        except StoreUnavailable:
            return []

    def taken(self) -> int | None:
        """The revision that ingest follows; None when the store does not answer."""
        details = [n.detail for n in self._notices() if n.kind == "county_reloaded"]
        return int(details[0]) if details and details[0].isdigit() else None

    def strangers(self, lang: str) -> list[Data]:
        """Unreadable messages of devices that nobody described, one row per sender and kind of topic."""
        try:
            letters = self._context.ask("strangers", 3.0, lambda: self._context.store.dead_letters(LETTERS))
        except StoreUnavailable:
            return []
        known = {(d.dialect, d.external_id) for d in self._context.county.devices}
        flows = [f for f in self.state().live if f.source is not None]
        rows: dict[tuple[str, str], Data] = {}
        fresh: dict[str, Data] = {}
        for letter in letters:
            row = self._seen.get(letter.hash) or self._look(letter)
            fresh[letter.hash] = row
            names = [n for n in row["devices"] if (row["dialect"], n) not in known]
            if any(is_read(f, letter) for f in flows) or not names or len(rows) >= MAX_STRANGERS:
                continue
            rows.setdefault((letter.topic, names[0]), {
                "topic": letter.topic, "hash": letter.hash, "device": names[0], "count": letter.count,
                "t": letter.last_t, "score": row["score"],
                "model": row["names"][0 if lang == "zh" else 1] if row["names"] else "",
            })  # fmt: skip
        self._seen = fresh
        return list(rows.values())

    def _look(self, letter: DeadLetter) -> Data:
        draft = propose(Message(letter.topic, letter.payload, letter.last_t), self.models())
        best = draft.matches[0] if draft.matches else None
        return {
            "dialect": draft.flow.dialect,
            "devices": [d.external_id for d in draft.flow.devices] if draft.learnt.values else [],
            "score": best.score if best else 0.0,
            "names": (best.model.zh, best.model.en) if best else (),
        }

    def propose(self, message: Message | str, lang: str) -> Data:
        """A draft for a message, or for the dead letter of a hash.

        Raises
        ------
        InputError : that letter is gone
        """
        if isinstance(message, str):
            letters = self._context.store.dead_letters(LETTERS)
            letter = next((x for x in letters if x.hash == message), None)
            if letter is None:
                raise InputError("this message is not kept any more: listen to its topic")
            message = Message(letter.topic, letter.payload, letter.last_t)
        return show_draft(self._join(propose(message, self.models()), message), message, lang)

    def _join(self, draft: Draft, message: Message) -> Draft:
        """A new device of a topic that a flow listens to already belongs to that flow."""
        flows = (f for f in self.state().live if f.source and match_topic(f.source.filter, message.topic))
        flow = next(flows, None)
        if flow is None:
            return draft
        learnt = learn(flow.dialect, flow.source, message.topic, message.payload, message.received)
        listed = {d.external_id for d in flow.devices}
        names = [n for n in dict.fromkeys(v.device for v in learnt.values) if n not in listed]
        devices = (*flow.devices, *(FlowDevice(n, n, "", as_part(n)) for n in names))
        return Draft(msgspec.structs.replace(flow, devices=devices), (), learnt)

    def trace(self, flow: Flow, message: Message | None, lang: str) -> list[Data]:
        """What every block makes of a message."""
        return show_outcomes(trace(flow, message, self.base, self.state()), lang)

    def row_for(self, model: str, key: str, external_key: str, number: float | None) -> Data:
        """The row of the mapping that a property of a model makes of a key.

        Raises
        ------
        InputError : no such model or property
        """
        p = find_model(self.models(), model).find(key)
        if p is None:
            raise InputError(f"the thing model {model} has no property {key!r}")
        made: Data = msgspec.to_builtins(map_property(p, external_key, number)[0])
        return made

    def listen(self, topic_filter: str, seconds: float) -> Data:
        """The next messages of a topic; also says whether the broker lets us.

        Raises
        ------
        InputError : no filter for a flow, or the broker refuses
        """
        if not is_good_filter(topic_filter) and not topic_filter.startswith("$oc/"):
            raise InputError(f"{topic_filter!r} is no filter to listen to: begin with a fixed word")
        heard = listen(self._broker, topic_filter, seconds)
        return {"count": heard.count, "messages": [show_message(m) for m in heard.messages]}

    def publish(self, flow: Flow, by: str, revision: int, lang: str) -> Data:
        """Test the connection, then publish; what keeps it from being published is in the answer."""
        if not has_errors(check_flow(flow, self.base, self.state())):
            try:
                check_connection(self._broker, flow)
            except InputError as e:
                trouble = make_trouble("publish", "no_connection", why=e)
                return {"ok": False, "troubles": [show_trouble(trouble, lang)]}
        try:
            state = acts.publish(self._folder, self.base, flow, by, revision)
        except acts.Refused as e:
            return {"ok": False, "troubles": [show_trouble(t, lang) for t in e.troubles]}
        return self._changed(state)

    def go_to(self, flow_id: str, number: int | None, lang: str) -> Data:
        """Follow another version (None: the one before)."""
        try:
            state = (
                acts.undo(self._folder, self.base, flow_id)
                if number is None
                else acts.go_to(self._folder, self.base, flow_id, number)
            )
        except acts.Refused as e:
            return {"ok": False, "troubles": [show_trouble(t, lang) for t in e.troubles]}
        return self._changed(state)

    def _changed(self, state: State) -> Data:
        self._context.county = merge_county(self.base, state, self._folder)
        return {"ok": True, "revision": state.revision}

    def reread(self, flow_id: str) -> int:
        """Have the kept messages of a flow's devices read again; how many."""
        flow = acts.find_kept(self.state(), flow_id).flow
        if flow is None:
            return 0
        names = {d.external_id for d in flow.devices}
        letters = self._context.store.dead_letters(10_000)
        mine = [x.hash for x in letters if names & set(self._look(x)["devices"])]
        if mine:
            self._context.store.redo_dead_letters(mine)
        return len(mine)

    def simulate(self, flow_id: str, on: bool) -> Data:
        """Begin or end speaking for a flow's devices.

        Raises
        ------
        InputError : not published, or of a dialect that cannot be spoken
        """
        kept = acts.find_kept(self.state(), flow_id)
        if on and (kept.flow is None or not can_simulate(kept.flow)):
            raise InputError(
                "these devices cannot be simulated: publish the flow; JSON and CSV can be spoken"
            )
        state = acts.set_simulated(self._folder, flow_id, on)
        if on:
            self._simulate()
        return {"ok": True, "revision": state.revision}

    def _simulate(self) -> None:
        if self._simulator is None:
            self._simulator = Simulator(self._folder, self._broker, self.models())
        self._simulator.start()

    def template(self, flow: Flow, lang: str) -> bytes:
        """The table of devices to fill in."""
        return make_template(flow, self._place_names, lang)

    def read_table(self, flow: Flow, data: bytes, lang: str) -> Data:
        """A filled table: a report row by row, and the devices when all rows are good.

        Raises
        ------
        InputError : no such table
        """
        rows = read_sheet(data, list_place_ids(self.base))
        good = not has_errors(t for r in rows for t in r.troubles)
        return {
            "ok": good,
            "rows": [
                {"row": r.number, "device": r.device.external_id,
                 "troubles": [show_trouble(t, lang)["text"] for t in r.troubles]}
                for r in rows
            ],
            "devices": msgspec.to_builtins(merge_devices(flow, rows)) if good else None,
            "t": time.time(),
        }  # fmt: skip

    def stop(self) -> None:
        """End the simulator's thread."""
        if self._simulator is not None:
            self._simulator.stop()


def is_read(flow: Flow, letter: DeadLetter) -> bool:
    """Whether a flow with a source describes every device of a message by now."""
    if flow.source is None or not match_topic(flow.source.filter, letter.topic):
        return False
    learnt = learn(flow.dialect, flow.source, letter.topic, letter.payload, letter.last_t)
    return {v.device for v in learnt.values} <= {d.external_id for d in flow.devices}


def name_places(county: County) -> dict[str, str]:
    """Places a device may stand at, id -> name; pipes' nodes are left out, nobody hangs a device there."""
    n = county.network
    tables: tuple[Any, ...] = (n.sources, n.substations, county.places, county.buildings, county.features)
    return {row.id: row.name or row.id for table in tables for row in table}


def units_of(quantity: str) -> list[str]:
    """Vendor units that can carry a quantity."""
    return [u or "1" for u in VENDOR_UNITS if u != "" and quantity in UNIT_CARRIES.get(u, ())]
