"""A contingency plan (预案) from a rehearsal: steps with times and who does them, as a text to keep."""

import math
from collections.abc import Sequence

import numpy as np

from app.domains.heating.rehearse import Alternative, Answer
from app.format import format_number, local_time
from app.i18n import translate
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
}
AFTER_MIN = {"report": 0, "preheat": 0, "confirm": 10, "boiler": 15, "pump": 15, "power": 15, "valve": 20,
             "isolate": 30, "shed": 30, "notify": 40, "standby": 60, "drain": 120, "repair": 180,
             "restore": 240}  # fmt: skip
ROLE = {"report": "dispatcher", "preheat": "dispatcher", "confirm": "patrol", "boiler": "source",
        "pump": "station", "power": "station", "valve": "patrol", "isolate": "patrol", "shed": "dispatcher",
        "notify": "service", "standby": "patrol", "drain": "station", "repair": "patrol",
        "restore": "dispatcher"}  # fmt: skip


def list_steps(incident: Incident, best: Alternative, lang: str) -> list[tuple[str, str, str]]:
    """(time after the start, role, what to do) for an incident."""
    section = best.run.section
    valves = ", ".join(section.valves) if section is not None else "--"
    homes = format_number(float(best.judgement.homes_below[0]), 0)
    return [
        (
            translate("plan.after", lang, n=round(60 * incident.after_h) + AFTER_MIN[step]),
            translate(f"role.{ROLE[step]}", lang),
            translate(f"step.{step}", lang, valves=valves, homes=homes),
        )
        for step in STEPS[incident.kind]
    ]


def name_case(key: str, lang: str) -> str:
    """An alternative in words; ``isolate_2`` carries its hours."""
    kind, _, hours = key.partition("_")
    if kind == "isolate":
        return translate("case.isolate", lang, h=hours)
    return translate(f"case.{key}", lang)


def tell_hours(hours: float, horizon_h: float, lang: str) -> str:
    """Hours until a limit, or that it is not reached."""
    if math.isfinite(hours):
        return f"{format_number(hours, 1)} h"
    return translate("rehearsal.not_within", lang, h=round(horizon_h))


def first_hours(a: Alternative, limit: int) -> float:
    """Hours until the first building falls below a limit; inf if none does."""
    return float(np.min(a.judgement.hours_until[limit], initial=math.inf))


def write_plan(county: County, incident: Incident, place: str, answer: Answer, lang: str) -> str:
    """The plan as Markdown."""
    best, horizon = answer.alternatives[0], answer.alternatives[0].run.time_s[-1] / 3600.0
    at = local_time(answer.t, county.meta.timezone, "%Y-%m-%d %H:%M")
    title = f"{translate(f'incident.{incident.kind}', lang)} {place}".strip()
    lines = [f"# {translate('plan.title', lang)}: {title}", "", translate("plan.made", lang, at=at), ""]
    heads = ("case", "below_16", "below_14", "first_16", "lost", "score")
    lines += _table([translate(f"rehearsal.{h}", lang) for h in heads],
                    [case_cells(a, horizon, lang) for a in answer.alternatives])  # fmt: skip
    lines += ["", f"## {translate('plan.steps', lang)}: {name_case(best.run.case.name, lang)}", ""]
    for k, (after, role, what) in enumerate(list_steps(incident, best, lang), 1):
        lines.append(f"{k}. {after} · {role}: {what}")
    return "\n".join(lines) + "\n"


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


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    out = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return out + ["| " + " | ".join(row) + " |" for row in rows]
