"""Colours of a valley town in winter, as a camera sees them at noon; and the styles of its buildings."""

from dataclasses import dataclass

from ingest.demo.survey.world import COTTAGES, House

Rgb = tuple[int, int, int]


def dim(colour: Rgb, factor: float) -> Rgb:
    """The colour times a factor, kept in range."""
    r, g, b = (int(min(max(c * factor, 0.0), 255.0)) for c in colour)
    return r, g, b


WILD: Rgb = (150, 134, 104)
GROUND: dict[str, tuple[Rgb, ...]] = {
    "field": ((104, 114, 74), (124, 118, 82), (150, 128, 98), (139, 117, 90), (168, 150, 112), (158, 138, 104), (146, 138, 116)),
    "orchard": ((142, 125, 96), (134, 120, 94)),
    "wood": ((92, 88, 64), (84, 84, 62)),
    "terrace": ((156, 138, 106), (162, 146, 114)),
    "greenhouse": ((128, 120, 104),),
    "residential": ((156, 151, 143), (150, 146, 140), (160, 153, 142)),
    "old_town": ((142, 134, 122),),
    "campus": ((154, 149, 141),),
    "civic": ((166, 162, 154),),
    "industrial": ((158, 155, 149), (146, 143, 138)),
    "vacant": ((146, 130, 102), (138, 126, 100)),
    "park": ((118, 115, 80), (110, 112, 78)),
    "pitch": ((74, 112, 70), (82, 116, 74)),
    "track": ((148, 84, 68),),
    "gravel": ((174, 168, 154),),
    "carpark": ((104, 103, 103), (116, 115, 113)),
    "square": ((178, 171, 160), (170, 165, 157)),
}  # fmt: skip
BUILT: Rgb = (152, 147, 138)
WATER: Rgb = (84, 96, 88)
BANK: Rgb = (150, 141, 120)
SNOW: Rgb = (224, 229, 236)
PAVING: Rgb = (166, 159, 150)
ROADS: dict[str, Rgb] = {
    "main": (92, 92, 95), "secondary": (98, 98, 99), "local": (107, 106, 105), "lane": (148, 144, 137),
    "county": (100, 98, 97), "village": (152, 147, 137), "expressway": (86, 86, 89), "rail": (112, 103, 95),
}  # fmt: skip
CARS: tuple[Rgb, ...] = (
    (226, 227, 228), (224, 224, 222), (206, 208, 210), (150, 153, 157), (58, 60, 64), (38, 40, 44), (66, 74, 92),
    (134, 44, 40), (214, 214, 210), (96, 86, 72), (50, 78, 116), (232, 232, 230),
)  # fmt: skip
CROWNS: tuple[tuple[Rgb, float], ...] = (
    ((104, 94, 78), 0.62), ((116, 104, 82), 0.66), ((62, 74, 52), 0.95), ((128, 112, 76), 0.72), ((70, 80, 58), 0.92),
)  # fmt: skip
"""Colour and density of crowns: bare poplars and ash, spruce, willows that hold their leaves, cypress."""

_FLAT: tuple[Rgb, ...] = ((134, 130, 124), (120, 117, 113), (148, 142, 133), (112, 108, 106), (156, 152, 146))
_TILES: tuple[Rgb, ...] = ((112, 106, 100), (120, 110, 100), (142, 98, 78), (128, 104, 88), (104, 101, 99))
_NEW_TILES: tuple[Rgb, ...] = ((160, 88, 70), (150, 80, 66), (118, 112, 108))
_STEEL: tuple[Rgb, ...] = ((88, 124, 164), (96, 130, 166), (184, 186, 186), (150, 96, 84), (170, 176, 182))
_CAPS: tuple[Rgb, ...] = ((150, 84, 70), (92, 118, 152), (140, 92, 78))
_PLASTER: tuple[Rgb, ...] = (
    (206, 192, 164),
    (214, 206, 190),
    (198, 178, 152),
    (190, 172, 158),
    (210, 198, 178),
)
_OLD_PLASTER: tuple[Rgb, ...] = (
    (186, 174, 154),
    (178, 160, 140),
    (160, 116, 94),
    (192, 184, 168),
    (170, 128, 104),
)
_STONE: tuple[Rgb, ...] = (
    (196, 176, 150),
    (204, 190, 168),
    (182, 152, 128),
    (208, 200, 188),
    (188, 160, 134),
)
_BRICK: tuple[Rgb, ...] = ((160, 122, 100), (176, 160, 140), (148, 108, 90), (186, 176, 160))
_PUBLIC: tuple[Rgb, ...] = ((208, 204, 196), (196, 188, 174), (186, 150, 126), (214, 212, 206))


@dataclass(frozen=True, slots=True)
class Look:
    """How a building looks. ``roof_rise_m`` above the eaves, 0: flat. ``facade``: name of a wall pattern."""

    wall: Rgb
    roof: Rgb
    facade: str
    roof_rise_m: float
    heaters: bool
    ribbed: bool


def look_of(h: House) -> Look:
    """The look of a house, by use and age, and by lot."""
    if h.use in COTTAGES:
        return _cottage(h)
    if h.use == "residence":
        return _residence(h)
    steel, flat = _STEEL[h.number(3, 5)], _FLAT[h.number(3, 5)]
    if h.use in ("industry", "plant", "bus_station"):
        wall = ((186, 190, 192), (168, 178, 190), (196, 190, 178), (176, 168, 158))[h.number(4, 4)]
        return Look(wall, steel, "shed", 1.6 if h.use == "industry" else 0.0, False, True)
    public = _PUBLIC[h.number(4, 4)]
    others = {
        "chimney": Look((176, 170, 162), (90, 86, 82), "chimney", 0.0, False, False),
        "cooling_tower": Look((172, 168, 160), (120, 118, 114), "blank", 0.0, False, False),
        "stadium": Look((190, 190, 188), (196, 200, 204), "public", 3.0, False, True),
        "shop": Look(public, flat, "shop", 0.0, h.number(5, 3) == 0, False),
    }
    return others.get(h.use) or Look(public, flat, "public", 0.0, h.use in ("school", "hospital"), False)


def _cottage(h: House) -> Look:
    new = h.year > 1998
    tiles = _NEW_TILES if new and h.number(1, 3) else _TILES
    flat = h.use == "urban_village" and h.number(2, 3) > 0
    roof = _FLAT[h.number(3, 5)] if flat else tiles[h.number(3, len(tiles))]
    heaters = flat and h.number(5, 2) == 0
    return Look(_BRICK[h.number(4, 4)], roof, "cottage", 0.0 if flat else 1.7, heaters, not flat)


def _residence(h: House) -> Look:
    old, middle = h.year < 1998, h.year < 2012
    walls = _OLD_PLASTER if old else _PLASTER if middle else _STONE
    capped = h.floors <= 7 and h.number(1, 100) < (24 if middle else 8)
    roof = _CAPS[h.number(2, 3)] if capped else _FLAT[h.number(3, 5)]
    facade = "tower" if h.floors >= 15 else "slab_old" if old else "slab"
    heaters = not capped and h.floors <= 11 and h.year > 1994
    return Look(walls[h.number(4, 5)], roof, facade, 2.3 if capped else 0.0, heaters, capped)
