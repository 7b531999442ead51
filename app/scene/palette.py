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
    park: Rgb
    field: Rgb
    built: Rgb
    paved: Rgb
    shade: float
    road: Rgb
    shadow: Rgb
    shadow_alpha: int
    building: Rgb
    building_heated_low: Rgb
    building_heated_high: Rgb
    supply: Ramp
    back: Ramp
    no_answer: Rgb
    casing: Rgb
    station: Rgb
    accent: Rgb


DARK = Palette(
    name="dark",
    background=parse_hex("#0b1420"),
    ground_low=parse_hex("#1d2d40"),
    ground_mid=parse_hex("#2e3c4d"),
    ground_high=parse_hex("#4d5867"),
    contour=parse_hex("#7d93ab"),
    water=parse_hex("#173e5a"),
    park=parse_hex("#214234"),
    field=parse_hex("#253e3c"),
    built=parse_hex("#253446"),
    paved=parse_hex("#2f3e51"),
    shade=1.0,
    road=parse_hex("#43566e"),
    shadow=parse_hex("#040a12"),
    shadow_alpha=105,
    building=parse_hex("#5d7087"),
    building_heated_low=parse_hex("#7f8ea1"),
    building_heated_high=parse_hex("#b3aaa1"),
    supply=_ramp("#a8433c", "#cb5a44", "#e8784f", "#fb9a66", "#ffc08c"),
    back=_ramp("#2f62b8", "#357fd0", "#429de0", "#5fb9ea", "#8ad6f2"),
    no_answer=parse_hex("#7c8796"),
    casing=parse_hex("#0a111b"),
    station=parse_hex("#e8eef6"),
    accent=parse_hex("#4cc2ff"),
)

LIGHT = Palette(
    name="light",
    background=parse_hex("#e9eef3"),
    ground_low=parse_hex("#dfe6ea"),
    ground_mid=parse_hex("#d6dad6"),
    ground_high=parse_hex("#c6c3ba"),
    contour=parse_hex("#8d99a3"),
    water=parse_hex("#a9cbdf"),
    park=parse_hex("#c3d8c4"),
    field=parse_hex("#d3dfc9"),
    built=parse_hex("#dde2e8"),
    paved=parse_hex("#cfd6de"),
    shade=0.7,
    road=parse_hex("#f7f9fb"),
    shadow=parse_hex("#5a6b7d"),
    shadow_alpha=70,
    building=parse_hex("#b4bfcb"),
    building_heated_low=parse_hex("#cdd3da"),
    building_heated_high=parse_hex("#e3d3bf"),
    supply=_ramp("#f2b08c", "#e58b67", "#cf6148", "#ac3f38", "#7d2230"),
    back=_ramp("#9fd0e6", "#6fb1dc", "#418fce", "#2a69b0", "#1d4484"),
    no_answer=parse_hex("#8a94a0"),
    casing=parse_hex("#ffffff"),
    station=parse_hex("#1b2a3a"),
    accent=parse_hex("#0077c2"),
)

PALETTES = {p.name: p for p in (DARK, LIGHT)}
