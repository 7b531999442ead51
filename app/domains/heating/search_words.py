"""The leak search in words: which check, where on the street, what to expect, and what a crew has found."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.domains.heating.search import Noted
from app.format import format_number
from app.i18n import translate
from twin.diagnosis.search.kit import CLAMP, LISTEN
from twin.model.county import Building, County
from twin.model.network import Node

ROAD_M, BESIDE_M = 150.0, 120.0
"""A road or a house farther away says little of where a chamber is."""
T_H = 3.6


def name_chamber(county: County, node_id: str, lang: str) -> str:
    """The chamber with its street, the house beside it and the nearest station."""
    nodes = county.network.nodes
    index = county.network.node_index.get(node_id)
    if index is None:
        return node_id
    node = nodes[index]
    street, house = _street(county, node), _house(county, node)
    where = [w for w in ("" if street in house else street, house, _station(county, node, lang)) if w]
    return translate(
        "search.chamber", lang, id=node_id, where="，".join(where) if lang == "zh" else ", ".join(where)
    )


def _plane(node: Node, lon: Any, lat: Any) -> tuple[Any, Any]:
    shrink = math.cos(math.radians(node.lat))
    return (np.asarray(lon) - node.lon) * 111_320.0 * shrink, (np.asarray(lat) - node.lat) * 111_320.0


def _street(county: County, node: Node) -> str:
    best, name = ROAD_M, ""
    for f in county.features:
        if f.layer != "road" or not f.name:
            continue
        x, y = _plane(node, *zip(*f.path, strict=True))
        dx, dy = np.diff(x), np.diff(y)
        along = np.clip(-(x[:-1] * dx + y[:-1] * dy) / np.maximum(dx**2 + dy**2, 1e-9), 0.0, 1.0)
        away = float(np.hypot(x[:-1] + along * dx, y[:-1] + along * dy).min(initial=np.inf))
        if away < best:
            best, name = away, f.name
    return name


def _house(county: County, node: Node) -> str:
    def away(b: Building) -> float:
        x, y = _plane(node, *b.footprint[0])
        return float(np.hypot(x, y))

    near = min(county.buildings, key=away, default=None)
    return near.address or near.name if near is not None and away(near) < BESIDE_M else ""


def _station(county: County, node: Node, lang: str) -> str:
    stations = county.network.substations
    if not stations:
        return ""
    x, y = _plane(node, [s.lon for s in stations], [s.lat for s in stations])
    away = np.hypot(x, y)
    s = stations[int(np.argmin(away))]
    name = s.name if lang == "zh" else s.name_en
    return translate("search.from_station", lang, name=name, m=format_number(round(float(away.min()), -1), 0))


def tell_check(county: County, check: Mapping[str, Any], lang: str) -> tuple[str, str, str]:
    """One advised check: what to do and where, what to expect, what it is worth."""
    kind = check["check"]["kind"]
    words = {
        "where": name_chamber(county, check["check"]["node_id"], lang),
        "sections": "、".join(check["check"]["pair_ids"]),
        "v": format_number(3600.0 * check["flow_m3_s"], 0),
        "n": str(check["cut"]),
    }
    scale = 100.0 if kind == LISTEN else T_H
    digits = 0 if kind == LISTEN else 1
    shown = {k: format_number(scale * _number(check[k]), digits) for k in ("beyond", "before", "error")}
    worth = {
        "m": format_number(check["zone_m"], 0), "min": format_number(check["minutes"], 0),
        "p": format_number(100 * check["share"], 0),
    }  # fmt: skip
    return (
        translate(f"search.{kind}_do", lang, **words),
        translate(f"search.{kind}_expect", lang, **shown, **words),
        translate("search.worth", lang, **worth),
    )


def _number(x: object) -> float:
    return float(x) if isinstance(x, int | float) else 0.0


def tell_zones(zones_m: list[float], near: float, lang: str) -> str:
    """How the zone has shrunk from result to result."""
    trail = " → ".join(f"{format_number(z, 0)} m" for z in zones_m)
    return translate("search.zones", lang, trail=trail, p=format_number(100 * near, 0))


def tell_result(noted: Noted, at: str, lang: str) -> str:
    """One line of what a crew found."""
    r = noted.result
    words = {
        "at": at, "who": noted.who or translate("said.nobody", lang), "chamber": r.check.node_id,
        "sections": "、".join(r.check.pair_ids), "text": noted.text,
    }  # fmt: skip
    if r.check.kind == LISTEN:
        heard = translate("search.heard" if r.first > 0.5 else "search.silent", lang)
        return translate("search.listen_line", lang, heard=heard, **words)
    digits = 1 if r.check.kind == CLAMP else 2
    a, b = (format_number(3600.0 * x, digits) for x in (r.first, r.second))
    return translate(f"search.{r.check.kind}_line", lang, a=a, b=b, **words)
