"""What the twin cannot know, how sure it is and what to mend first, in words."""

from typing import Any

from app.domains.heating.findings import name_place
from app.format import format_number
from app.i18n import translate
from ingest.store.api import Store
from twin.model.county import County

SHOWN = 3
"""Points of one mend that are named; the rest are counted."""
TRIFLE = 0.002
"""A mend that brings less is not worth a line."""


def fetch_sight(store: Store) -> dict[str, Any] | None:
    """The newest judgement that was kept, or None."""
    rows = store.kept("sight", limit=1)
    body = store.kept_body(rows[0].no) if rows else None
    return body if isinstance(body, dict) else None


def tell_sight(county: County, body: dict[str, Any], lang: str) -> list[str]:
    """Sentences in ``lang``: how well a leak is placed, what is blind and why, what to mend first."""
    out = []
    young = learnt_hours(body)
    if young is not None:
        h, of = (format_number(x, 1) for x in young)
        out.append(translate("sight.young", lang, h=h, of=of))
    elif body.get("zone_m") is not None and body.get("least_leak") is not None:
        least = format_number(100 * float(body["least_leak"]), 1)
        metres = format_number(float(body["zone_m"]), 0)
        out.append(translate("sight.leak", lang, p=least, m=metres))
    out += [_tell_limit(county, row, lang) for row in body.get("limits", [])]
    for mend in body.get("mends", []):
        if float(mend["gain"]) >= TRIFLE:
            points = [name_place(county, "sensor_bias", p, lang) for p in mend["points"]]
            names = ("、" if lang == "zh" else ", ").join(points[:SHOWN])
            if len(points) > SHOWN:
                names = translate("sight.more", lang, names=names, n=str(len(points)))
            gain = format_number(100 * float(mend["gain"]), 1)
            out.append(translate("sight.mend", lang, names=names, p=gain))
    return out


def learnt_hours(body: dict[str, Any] | None) -> tuple[float, float] | None:
    """How long the twin has got used to the county, and how long it needs, h; None once it has."""
    if body is None or body.get("learnt_s") is None:
        return None
    learnt, needed = float(body["learnt_s"]), float(body["learning_s"])
    return (learnt / 3600.0, needed / 3600.0) if learnt < needed else None


def _tell_limit(county: County, row: dict[str, Any], lang: str) -> str:
    code, place, value = str(row["code"]), str(row["place"]), row.get("value")
    number = float(value) if value is not None else 0.0
    if code == "blind":
        kind = translate(f"fault.{place}", lang)
        return translate("sight.blind", lang, kind=kind, p=format_number(100 * number, 0))
    if code == "survey":
        pipe = name_place(county, "leak", place, lang)
        return translate("sight.survey", lang, place=pipe, v=format_number(number, 2))
    name = name_place(county, "sensor_bias", place, lang) if code == "crossed" else place
    return translate(f"sight.{code}", lang, place=name, p=format_number(100 * number, 0))
