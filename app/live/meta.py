"""What a screen must know of points to show them: ``/api/meta``, columns by point number."""

from app.i18n import LANGUAGES, TEXTS, translate
from twin.model.county import County
from twin.model.points import POINT_KINDS
from twin.model.quantities import QUANTITIES

WORDS = ("live.outage", "live.alarm", "live.age", "live.days", "live.asked", "live.refused")
"""Texts of the live script; their places stay open for it to fill."""
CHOICES = tuple(k.partition(".")[2] for k in TEXTS if k.startswith("choice."))
"""Kinds of points whose numbers stand for words."""


def make_meta(county: County) -> dict[str, object]:
    """Ids, quantity and period per point; display unit, scale and decimals per quantity; names per kind;
    words of states by point number; the county's time zone and the script's words."""
    quantities = list(QUANTITIES)
    index = {q: i for i, q in enumerate(quantities)}
    return {
        "ids": [p.id for p in county.points],
        "quantity": [index[p.quantity] for p in county.points],
        "period_s": [p.period_s for p in county.points],
        "quantities": [
            {
                "key": q.key,
                "unit": q.display_unit,
                "scale": q.scale,
                "decimals": q.decimals,
                "zh": q.zh,
                "en": q.en,
            }
            for q in QUANTITIES.values()
        ],
        "timezone": county.meta.timezone,
        "words": {lang: {k.partition(".")[2]: translate(k, lang) for k in WORDS} for lang in LANGUAGES},
        "choices": {
            str(p.no): {lang: translate(f"choice.{p.key}", lang).split("|") for lang in LANGUAGES}
            for p in county.points
            if p.key in CHOICES
        },
        "kinds": {k.key: [k.zh, k.en] for k in POINT_KINDS.values()},
    }
