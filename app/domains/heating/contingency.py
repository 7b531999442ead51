"""A contingency plan (预案) from a rehearsal: steps with times and who does them, as a text to keep."""

import math
from collections.abc import Sequence

import numpy as np

from app.domains.heating.rehearse import Alternative, Answer
from app.format import format_number, local_time
from app.i18n import translate
from twin.heat import DayReason
from twin.model.county import County
from twin.rehearsal import Incident

STEPS: dict[str, tuple[str, ...]] = {
    "burst": ("report", "confirm", "isolate", "notify", "repair"),
    "source_trip": ("report", "boiler", "shed", "notify", "restore"),
    "fuel_shortage": ("report", "boiler", "shed", "notify", "restore"),
    "pump_trip": ("report", "pump", "drain", "notify", "restore"),
    "power_cut": ("report", "power", "drain", "notify", "restore"),
    "cold_wave": ("preheat", "boiler", "standby", "notify", "restore"),
    "valve_shut": ("report", "valve", "drain", "notify", "restore"),
    "valve_stuck": ("report", "beyond", "notify", "restore"),
}
AFTER_MIN = {"report": 0, "preheat": 0, "confirm": 10, "boiler": 15, "pump": 15, "power": 15, "valve": 20,
             "beyond": 20, "isolate": 30, "shed": 30, "notify": 40, "standby": 60, "mobile": 60, "island": 60,
             "drain": 120, "repair": 180, "restore": 240}  # fmt: skip
ROLE = {"report": "dispatcher", "preheat": "dispatcher", "confirm": "patrol", "boiler": "source",
        "pump": "station", "power": "station", "valve": "patrol", "beyond": "patrol", "isolate": "patrol",
        "shed": "dispatcher", "notify": "service", "standby": "patrol", "mobile": "station",
        "island": "source", "drain": "station", "repair": "patrol", "restore": "dispatcher"}  # fmt: skip
Step = tuple[int, str, str, str]
"""Minutes after the start, key, role, what to do."""


def plan_steps(county: County, incidents: Sequence[Incident], best: Alternative, lang: str) -> list[Step]:
    """The steps of the advised alternative by time, each once."""
    words = _fill(county, best, lang)
    first: dict[str, int] = {}
    for x in incidents:
        for step in STEPS[x.kind]:
            at = round(60 * x.after_h) + AFTER_MIN[step]
            first[step] = min(first.get(step, at), at) if step != "restore" else max(first.get(step, 0), at)
    for m in best.run.case.measures:
        at = round(60 * m.after_h)
        if m.kind == "isolate" and "isolate" in first:
            first["isolate"] = at
        extra = {"mobile_boiler": "mobile", "island": "island"}.get(m.kind, "")
        if extra:
            first[extra] = min(first.get(extra, at), at)
    return [
        (at, step, translate(f"role.{ROLE[step]}", lang), translate(f"step.{step}", lang, **words))
        for step, at in sorted(first.items(), key=lambda x: (x[1], AFTER_MIN[x[0]]))
    ]


def _fill(county: County, best: Alternative, lang: str) -> dict[str, str]:
    valves = ", ".join(dict.fromkeys(v for s in best.run.sections for v in s.valves))
    sent = [m for m in best.run.case.measures if m.kind == "mobile_boiler"]
    boilers = ", ".join(f"{name_place(county, m.at, lang)} {format_number(m.size / 1e6, 1)} MW" for m in sent)
    return {
        "valves": valves or "--", "boilers": boilers or "--",
        "homes": format_number(float(best.judgement.homes_below[0]), 0),
    }  # fmt: skip


def list_steps(
    county: County, incidents: Sequence[Incident], best: Alternative, lang: str
) -> list[tuple[str, str, str]]:
    """(time after the start, role, what to do)."""
    return [
        (translate("plan.after", lang, n=at), role, what)
        for at, _, role, what in plan_steps(county, incidents, best, lang)
    ]


def name_place(county: County, place: str, lang: str) -> str:
    """What people call a station or source; anything else by its id."""
    network = county.network
    rows = {s.id: s.name if lang == "zh" else s.name_en for s in network.substations}
    rows |= {s.id: s.name if lang == "zh" else s.name_en for s in network.sources}
    return ", ".join(rows.get(p, p) for p in place.split(",")) if place else ""


def name_incidents(county: County, incidents: Sequence[Incident], lang: str) -> str:
    """What happens, in one line."""
    return " + ".join(
        f"{translate(f'incident.{x.kind}', lang)} {name_place(county, x.at, lang)}".strip() for x in incidents
    )


def name_case(key: str, lang: str) -> str:
    """An alternative in words; ``isolate_2`` carries its hours, ``+`` joins what is done together."""
    words = []
    for part in key.split("+"):
        kind, _, hours = part.partition("_")
        isolated = kind == "isolate"
        words.append(
            translate("case.isolate", lang, h=hours) if isolated else translate(f"case.{part}", lang)
        )
    return " + ".join(words)


def tell_hours(hours: float, horizon_h: float, lang: str) -> str:
    """Hours until a limit, or that it is not reached."""
    if math.isfinite(hours):
        return f"{format_number(hours, 1)} h"
    return translate("rehearsal.not_within", lang, h=round(horizon_h))


def first_hours(a: Alternative, limit: int) -> float:
    """Hours until the first building falls below a limit; inf if none does."""
    return float(np.min(a.judgement.hours_until[limit], initial=math.inf))


def write_plan(county: County, answer: Answer, lang: str) -> str:
    """The plan as Markdown."""
    best, horizon = answer.alternatives[0], answer.alternatives[0].run.time_s[-1] / 3600.0
    at = local_time(answer.t, county.meta.timezone, "%Y-%m-%d %H:%M")
    title = name_incidents(county, answer.incidents, lang)
    lines = [f"# {translate('plan.title', lang)}: {title}", "", translate("plan.made", lang, at=at), ""]
    lines += [tell_start(county, answer, lang), ""]
    lines += _table([translate(f"rehearsal.{h}", lang) for h in CASE_HEADS],
                    [case_cells(a, horizon, lang) for a in answer.alternatives])  # fmt: skip
    lines += ["", f"## {translate('plan.facts', lang)}", ""]
    lines += [f"- {name}: {text}" for name, text in list_facts(county, best, lang)]
    lines += ["", f"## {translate('plan.steps', lang)}: {name_case(best.run.case.name, lang)}", ""]
    for k, (after, role, what) in enumerate(list_steps(county, answer.incidents, best, lang), 1):
        lines.append(f"{k}. {after} · {role}: {what}")
    return "\n".join(lines) + "\n"


def tell_start(county: County, answer: Answer, lang: str) -> str:
    """What the simulation started from, in a sentence."""
    zone, present = county.meta.timezone, answer.present
    water = translate("start.walked", lang)
    if present.water is not None:
        water = translate("start.live", lang, at=local_time(present.water.t, zone, "%H:%M"))
    learnt = translate(f"start.{present.why}", lang) if present.why else ""
    if present.corrected:
        learnt = translate("start.learnt", lang, at=local_time(present.learnt_t, zone, "%m-%d %H:%M"))
    return translate("start.from", lang, water=water, learnt=learnt)


CASE_HEADS = ("case", "below_16", "below_14", "first_16", "lost", "score")


def case_cells(a: Alternative, horizon_h: float, lang: str) -> list[str]:
    """One alternative as table cells."""
    j = a.judgement
    name = name_case(a.run.case.name, lang)
    return [
        name
        if a.sustainable or math.isfinite(a.lasts_h)
        else f"{name} ({translate('rehearsal.unsustainable', lang)})",
        format_number(float(j.homes_below[0]), 0),
        format_number(float(j.homes_below[1]), 0),
        tell_hours(first_hours(a, 0), horizon_h, lang),
        f"{format_number(j.lost_t, 0)} t",
        format_number(j.degree_hours / 1000.0, 1),
    ]


def list_facts(county: County, a: Alternative, lang: str) -> list[tuple[str, str]]:
    """(name, text) of what an alternative means beyond the rooms: valves, people, water, pressure, frost."""
    j, horizon = a.judgement, float(a.run.time_s[-1] / 3600.0)
    p16, p14 = (format_number(float(j.people_below[k]), 0) for k in (0, 1))
    rows = [("people", translate("fact.people_of", lang, p16=p16, p14=p14, first=len(j.first)))]
    alone = any(m.kind == "island" for m in a.run.case.measures)
    for s in a.run.sections:
        names = ", ".join(name_place(county, x, lang) for x in s.stations) or translate("fact.nobody", lang)
        names = translate("fact.alone", lang) if alone else names
        rows.append(("valves", translate("fact.cut", lang, valves=", ".join(s.valves) or "--", who=names)))
    if j.stations:
        rows.append(("stations", ", ".join(name_place(county, s, lang) for s in j.stations)))
    missed = sum(int(f.value) for f in a.run.findings if f.reason == DayReason.NOT_CONVERGED)
    if missed:
        rows.insert(0, ("missed", translate("fact.missed_of", lang, n=missed)))
    rows += [("pressure", _tell_pressure(a, lang)), ("frost", _tell_frost(a, horizon, lang))]
    p = j.pressures
    if p.surge_pa > 2e4:
        said = translate("fact.surge_of", lang, mpa=format_number(p.surge_pa / 1e6, 2), pipe=p.surge_pipe)
        rows.append(("surge", said))
    return [(translate(f"fact.{key}", lang), text) for key, text in rows]


def _tell_pressure(a: Alternative, lang: str) -> str:
    p = a.judgement.pressures
    if not math.isfinite(p.lowest.p_pa):
        return translate("fact.no_pressure", lang)
    out = [
        translate(f"fact.{name}", lang, mpa=format_number(x.p_pa / 1e6, 2), node=x.node,
                  side=translate(f"fault.{x.side}", lang), h=format_number(x.hour, 1))
        for name, x in (("lowest", p.lowest), ("highest", p.highest))
    ]  # fmt: skip
    for name, n, h in (("boils", p.boils, p.boils_h), ("under", p.under, p.under_h),
                       ("above", p.above, p.above_h)):  # fmt: skip
        if n:
            out.append(translate(f"fact.{name}", lang, n=n, h=format_number(h, 1)))
    if p.unheld:
        out.append(translate("fact.unheld", lang, n=p.unheld))
    return " ".join(out)


def _tell_frost(a: Alternative, horizon_h: float, lang: str) -> str:
    frost = a.judgement.frost
    houses, pipes = np.isfinite(frost.building_h), np.isfinite(frost.pipe_h)
    if not houses.any() and not pipes.any():
        return translate("fact.no_frost", lang, h=round(horizon_h))
    first = float(np.min(np.append(frost.building_h, frost.pipe_h)))
    return translate(
        "fact.frost_of", lang, h=format_number(first, 1), n=int(houses.sum()), m=int(pipes.sum())
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    out = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return out + ["| " + " | ".join(row) + " |" for row in rows]
