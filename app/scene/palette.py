"""Colours of the scene by theme. Ramps rise evenly in lightness, so they read without hue as well.

Supply is warm, return is cool (heat engineers' custom). Warning colours (red, orange, yellow, blue by law)
belong to the alarms alone: the ramps keep to copper and ice.
"""

from dataclasses import dataclass

Rgb = tuple[int, int, int]
Ramp = tuple[Rgb, ...]


def parse_hex(text: str) -> Rgb:
    """``#rrggbb`` to a triple of 0..255."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _table(text: str) -> dict[str, Rgb]:
    """``name #rrggbb`` pairs to a table of colours."""
    words = text.split()
    return {name: parse_hex(colour) for name, colour in zip(words[::2], words[1::2], strict=True)}


def _ramp(*stops: str) -> Ramp:
    return tuple(parse_hex(s) for s in stops)


@dataclass(frozen=True, slots=True)
class Palette:
    """Every colour the scene uses in one theme; ramps run from the lowest value to the highest."""

    name: str
    background: Rgb
    ground_low: Rgb
    ground_mid: Rgb
    ground_high: Rgb
    contour: Rgb
    water: Rgb
    land: dict[str, Rgb]
    shade: float
    roads: dict[str, Rgb]
    shadow: Rgb
    shadow_alpha: int
    building: dict[str, Rgb]
    building_heated_low: Rgb
    building_heated_high: Rgb
    supply: Ramp
    back: Ramp
    no_answer: Rgb
    casing: Rgb
    station: Rgb
    accent: Rgb
    rooms: Ramp
    ages: Ramp
    uses: dict[str, Rgb]


# Room temperatures: cold blue-violet over a pale middle (the room target) to warm brown, even in lightness
# towards both ends; ages from old brown to new teal; uses by families of colour, warning colours left out.
_ROOMS = _ramp("#4a3fa0", "#6f78c8", "#a9b7d9", "#e6e2d6", "#dcb58e", "#b9804f", "#8a5320")
_AGES = _ramp("#7a4a2f", "#a9774f", "#c9ab84", "#b9c9c0", "#7fb0ab", "#3f8a8c")
_USES = _table(
    "residence #c9a27e school #8f9fd6 hospital #c79ac4 shop #b7a86a market #a8964c office #7fa9c4"
    " government #a58f7c stadium #84b39a bus_station #84b39a village #b3aca0 old_town #9c8f85"
    " urban_village #a89d94 industry #8a97a3 plant #6f7d8a chimney #8d8580 cooling_tower #9aa5ad"
    " station_house #5f9aa8 other #99a2ab"
)

DARK = Palette(
    name="dark",
    background=parse_hex("#0b1420"),
    ground_low=parse_hex("#2c3947"),
    ground_mid=parse_hex("#4a4f52"),
    ground_high=parse_hex("#77736a"),
    contour=parse_hex("#9fb0bf"),
    water=parse_hex("#24506c"),
    land=_table(
        "field #3c4f48 orchard #34503f terrace #5e5a4c wood #2c4a3b greenhouse #4c5a62"
        " plastic #8c9ba4 park #31563f pitch #3d7050 track #83523f gravel #737268 built #36424f"
        " residential #384552 old_town #413f42 campus #3a4a4c civic #414d5c vacant #454b43"
        " industrial #3f4a55 paved #525d66 crown #264f38"
    ),
    shade=1.0,
    roads=_table(
        "other #4b5d73 main #74869b secondary #5f7288 local #4f6178 county #7d8794"
        " village #56626f lane #3f4e61 expressway #a08d68 rail #1a222c"
    ),
    shadow=parse_hex("#040a12"),
    shadow_alpha=120,
    building=_table(
        "other #5d7087 residence #6f8093 village #6e6560 old_town #665f5e urban_village #696463"
        " industry #566b80 shop #64748a school #7a86a3 hospital #a08fa6 government #93897c"
        " office #7285a0 market #87809c plant #7b8894 chimney #b3a49b cooling_tower #aab4bd"
        " station_house #93a6b8 bus_station #7f8aa0 stadium #7f8aa0"
    ),
    building_heated_low=parse_hex("#8696aa"),
    building_heated_high=parse_hex("#c9b8a6"),
    supply=_ramp("#a8433c", "#cb5a44", "#e8784f", "#fb9a66", "#ffc08c"),
    back=_ramp("#2f62b8", "#357fd0", "#429de0", "#5fb9ea", "#8ad6f2"),
    no_answer=parse_hex("#7c8796"),
    casing=parse_hex("#0a111b"),
    station=parse_hex("#e8eef6"),
    accent=parse_hex("#4cc2ff"),
    rooms=_ROOMS,
    ages=_AGES,
    uses=_USES,
)

LIGHT = Palette(
    name="light",
    background=parse_hex("#e9eef3"),
    ground_low=parse_hex("#e0e2da"),
    ground_mid=parse_hex("#d8cfb9"),
    ground_high=parse_hex("#cbbd9f"),
    contour=parse_hex("#93907f"),
    water=parse_hex("#9cc4de"),
    land=_table(
        "field #d5e0bf orchard #bdd3ac terrace #dbd2b6 wood #aec5a2 greenhouse #dbe2e6"
        " plastic #f4f7f9 park #b4d3ac pitch #9fcb9c track #d9a48e gravel #dcd6c8 built #e7e7e6"
        " residential #e9e8e5 old_town #e3dcd2 campus #e3e6da civic #e3e3e8 vacant #dcdcc6"
        " industrial #dcdfe4 paved #d5d8dc crown #8fb38b"
    ),
    shade=0.62,
    roads=_table(
        "other #f7f9fb main #ffffff secondary #fbfcfd local #f7f9fb county #fff6e0"
        " village #f5f3ee lane #f1f1ef expressway #f6d69a rail #77818c"
    ),
    shadow=parse_hex("#5a6b7d"),
    shadow_alpha=80,
    building=_table(
        "other #b4bfcb residence #c3cad2 village #cbb9ab old_town #b9b2ab urban_village #c2b8ae"
        " industry #aebfce shop #bcc5d3 school #b9c3de hospital #d9c0d5 government #d6c8ae"
        " office #b5c5dc market #c8c0db plant #b3bcc6 chimney #c9a99a cooling_tower #d3dae0"
        " station_house #9fb2c4 bus_station #bcc5d6 stadium #bcc5d6"
    ),
    building_heated_low=parse_hex("#d3d8df"),
    building_heated_high=parse_hex("#ecd2b4"),
    supply=_ramp("#f2b08c", "#e58b67", "#cf6148", "#ac3f38", "#7d2230"),
    back=_ramp("#9fd0e6", "#6fb1dc", "#418fce", "#2a69b0", "#1d4484"),
    no_answer=parse_hex("#8a94a0"),
    casing=parse_hex("#ffffff"),
    station=parse_hex("#1b2a3a"),
    accent=parse_hex("#0077c2"),
    rooms=_ROOMS,
    ages=_AGES,
    uses=_USES,
)

PALETTES = {p.name: p for p in (DARK, LIGHT)}
