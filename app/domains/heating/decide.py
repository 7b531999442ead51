"""What asks for a decision now: simple rules, worst first. The alarm engine replaces them one day.

Limits are the engineering defaults of a 110/60 network: supply pressure 0.45 MPa, differential pressure
0.05 MPa, primary return 60 °C, deviation 3 sigma, rooms 18 °C.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domains.heating.findings import URGENT, Told, tell_finding
from app.format import format_age, format_number, format_value
from app.i18n import translate
from ingest.store.api import SimulatedTable
from ingest.store.finding_api import TwinFinding
from twin.model.county import County
from twin.model.network import Source, Substation
from twin.model.points import POINT_KINDS

Floats = NDArray[np.float64]

LOW_PRESSURE_PA, LOW_DP_PA, HOT_RETURN_C, DEVIATION = 0.45e6, 0.05e6, 60.0, 3.0


@dataclass(frozen=True, slots=True)
class Matter:
    """One line: ``level`` high, mid or low; ``place_id`` what it is about (may be empty), ``spot`` where the
    scene shows it, if finer (:class:`~app.domains.heating.spots.Spot`)."""

    level: str
    text: str
    place_id: str = ""
    weight: float = 0.0
    spot: str = ""


def find_matters(
    county: County,
    value: Floats,
    simulated: SimulatedTable,
    silent: dict[str, float],
    lang: str,
    findings: Sequence[TwinFinding] = (),
) -> list[Matter]:
    """Lines of heating, worst first.

    Parameters
    ----------
    value : (n_point,) usable measurements, SI, NaN where missing
    silent : device id -> seconds without data, for devices that are overdue
    findings : open findings of the twin; what they explain is not told again as a deviation
    """
    told = [(f, tell_finding(county, f, lang)) for f in findings]
    explained = {t.place_id for _, t in told}
    everywhere = any(f.kind in ("leak", "source_trip") for f in findings)
    out = [
        *_limits(county, value, lang),
        *(_found(f, t, lang) for f, t in told),
        *(m for m in _deviations(county, simulated, lang) if not everywhere and m.place_id not in explained),
        *_silent(county, silent, lang),
    ]
    order = {"high": 0, "mid": 1, "low": 2}
    return sorted(out, key=lambda m: (order[m.level], -m.weight))


def _found(f: TwinFinding, told: Told, lang: str) -> Matter:
    text = translate("decide.finding", lang, kind=told.kind, place=told.place, size=told.size).strip()
    level = "high" if f.kind in URGENT else "mid"
    return Matter(level, text, told.place_id, 10.0 + f.evidence / 1e6, str(told.spot))


def _limits(county: County, value: Floats, lang: str) -> list[Matter]:
    def read(place: str, key: str) -> float:
        p = county.point_by_id.get(f"{place}/{key}")
        return float(value[p.no]) if p else float("nan")

    out = []
    for s in county.network.substations:
        supply, back, t_back = read(s.id, "p1_ps"), read(s.id, "p1_pr"), read(s.id, "p1_tr")
        if supply < LOW_PRESSURE_PA:
            text = translate(
                "decide.low_pressure", lang, name=_name(s, lang), value=format_value("pressure", supply)
            )
            out.append(Matter("high", text, s.id, 3.0))
        if supply - back < LOW_DP_PA:
            text = translate(
                "decide.low_dp", lang, name=_name(s, lang), value=format_value("pressure", supply - back)
            )
            out.append(Matter("high", text, s.id, 2.0))
        if t_back > HOT_RETURN_C:
            text = translate(
                "decide.hot_return", lang, name=_name(s, lang), value=format_value("temperature", t_back)
            )
            out.append(Matter("mid", text, s.id, 1.0))
    return out


def _deviations(county: County, simulated: SimulatedTable, lang: str) -> list[Matter]:
    out: dict[str, Matter] = {}
    names = {s.id: _name(s, lang) for s in _heat_places(county)}
    for no, z in zip(simulated.point_no, simulated.z, strict=True):
        if not np.isfinite(z) or abs(z) <= DEVIATION:
            continue
        p = county.points[int(no)]
        kind = POINT_KINDS[p.key]
        text = translate(
            "decide.deviation", lang, name=names.get(p.place_id, p.place_id),
            point=kind.zh if lang == "zh" else kind.en, z=format_number(float(z), 1, sign=True),
        )  # fmt: skip
        level = "high" if abs(z) > 6 else "mid"
        if p.place_id not in out or abs(z) > out[p.place_id].weight:
            out[p.place_id] = Matter(level, text, p.place_id, float(abs(z)))
    return list(out.values())


def _silent(county: County, silent: dict[str, float], lang: str) -> list[Matter]:
    stations = {s.id for s in _heat_places(county)}
    devices = [d for d in county.devices if d.id in silent]
    big = [d for d in devices if d.place_id in stations]
    out = [
        Matter(
            "mid",
            translate("decide.silent", lang, name=d.name, age=format_age(silent[d.id], lang)),
            d.place_id,
        )
        for d in big
    ]
    small = [silent[d.id] for d in devices if d.place_id not in stations]
    if small:
        text = translate("decide.silent_many", lang, n=len(small), age=format_age(max(small), lang))
        out.append(Matter("low", text))
    return out


def _heat_places(county: County) -> list[Substation | Source]:
    return [*county.network.substations, *county.network.sources]


def _name(place: object, lang: str) -> str:
    return str(getattr(place, "name" if lang == "zh" else "name_en"))
