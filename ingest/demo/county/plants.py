"""The sites of the CHP at the western edge of the estate and of the peak boiler in the east."""

from dataclasses import dataclass

import numpy as np
from shapely.geometry import Point as Dot
from shapely.geometry import Polygon, box

from ingest.demo.county.blocks import Filling, House, ring_of
from ingest.demo.county.land import Land, Point
from ingest.demo.county.streets import ESTATE_WEST_X, Town, county_road_y, row_y

OPENED = 2009
BOILER_OPENED = 2018


@dataclass(frozen=True, slots=True)
class Site:
    """A fenced site; ``gate``: where its heat main leaves."""

    gate: Point
    area: Polygon


def plant_sites(land: Land, town: Town) -> tuple[Site, Site]:
    """CHP and peak boiler."""
    x = ESTATE_WEST_X - 60.0
    end = town.find("人民路").line[0]
    y = float(county_road_y(land, np.array([x]), end)[0]) + 40.0
    chp = Site((x - 40.0, y + 250.0), box(x - 560.0, y, x, y + 420.0))
    bx = 2_290.0
    by = float(row_y(land, 1, 2_080.0)) + 130.0
    boiler = Site((bx - 40.0, by + 30.0), box(bx - 60.0, by, bx + 130.0, by + 150.0))
    return chp, boiler


def fill_sites(chp: Site, boiler: Site) -> Filling:
    """Boiler house, turbine hall, chimney, cooling towers, coal store; the boiler's hall and stack."""
    out = Filling()
    x0, y0, x1, _ = chp.area.bounds
    cx, cy = (x0 + x1) / 2, y0 + 150.0

    def add(shape: Polygon, use: str, height_m: float, year: int, name: str) -> None:
        out.houses.append(House(ring_of(shape), use, 1, height_m, year, False, -100, name))

    add(box(cx + 10, cy, cx + 142, cy + 34), "plant", 32.0, OPENED, "热电厂汽机房")
    add(box(cx + 10, cy + 36, cx + 142, cy + 58), "plant", 40.0, OPENED, "热电厂煤仓间")
    add(box(cx + 18, cy + 60, cx + 134, cy + 100), "plant", 56.0, OPENED, "热电厂锅炉房")
    add(box(cx + 34, cy + 108, cx + 118, cy + 128), "plant", 28.0, OPENED, "热电厂除尘脱硫间")
    add(_disk(cx + 76, cy + 146, 6.0), "chimney", 150.0, OPENED, "热电厂烟囱")
    add(_disk(cx - 70, cy + 60, 34.0), "cooling_tower", 92.0, OPENED, "热电厂一号冷却塔")
    add(_disk(cx - 70, cy - 30, 34.0), "cooling_tower", 92.0, OPENED + 1, "热电厂二号冷却塔")
    add(box(cx - 236, cy + 30, cx - 130, cy + 92), "plant", 22.0, OPENED, "热电厂封闭煤场")
    add(box(cx + 30, cy - 84, cx + 92, cy - 68), "office", 16.0, OPENED, "热电厂办公楼")
    add(box(cx + 176, cy + 70, cx + 226, cy + 92), "plant", 12.0, OPENED, "热电厂热网首站")
    out.ground.append(("industrial", "渭阳热电厂", ring_of(chp.area)))
    bx, by, _, _ = boiler.area.bounds
    add(box(bx + 60, by + 70, bx + 126, by + 104), "plant", 19.0, BOILER_OPENED, "调峰锅炉房")
    add(_disk(bx + 146, by + 88, 2.6), "chimney", 60.0, BOILER_OPENED, "调峰锅炉房烟囱")
    out.ground.append(("industrial", "东郊调峰锅炉房", ring_of(boiler.area)))
    return out


def _disk(x: float, y: float, r: float) -> Polygon:
    return Dot(x, y).buffer(r, quad_segs=6)
