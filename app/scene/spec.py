"""The layer spec: which layers there are, in what order, from which buffers, in which colours.

Made with pydeck's classes and written as JSON. Layer ids and ``role`` are engine-neutral (``pipes.supply``,
``buildings``); the ``@@type`` names are deck.gl's. Another renderer needs another table of types only.
"""

import json
from typing import Any

import pydeck as pdk

from app.scene.assets import LayerData, SceneAssets, SceneLibrary
from app.scene.content import sun_direction
from app.scene.palette import PALETTES, Palette, Rgb
from app.scene.texts import read_texts

SPEC_VERSION = 1
VIEWS = {"heating": "temperature", "overview": "temperature", "hydraulics": "pressure"}
"""View -> what colours the pipes at first; the user may change it."""
HEAT_INDEX_RANGE_W_M2 = (35.0, 70.0)
PITCH_DEG = 48.0
LIGHTS = {
    "dark": {"ambient": 0.85, "sun": 1.1, "colour": [255, 244, 228]},
    "light": {"ambient": 1.15, "sun": 1.1, "colour": [255, 250, 240]},
}
SUPPLY_SIDE = -0.62
RETURN_SIDE = 0.62
"""Sideways offset in pipe widths, left and right of the trench, so that the pair never merges."""


def _data(layer: LayerData) -> dict[str, Any]:
    return {"length": layer.length, "startIndices": layer.starts, "attributes": dict(layer.attributes)}


def _rgba(colour: Rgb, alpha: int = 255) -> list[int]:
    return [*colour, alpha]


def _ground_layer(assets: SceneAssets) -> pdk.Layer:
    return pdk.Layer(
        "SimpleMeshLayer",
        id="ground",
        data=[{"position": [0, 0, 0]}],
        role="'ground'",
        heights=assets.heights,
        pickable=False,
    )


def _road_layer(assets: SceneAssets, palette: Palette) -> pdk.Layer:
    return pdk.Layer(
        "PathLayer",
        id="roads",
        data=_data(assets.layers["roads"]),
        role="'roads'",
        get_color=_rgba(palette.road),
        width_units="'meters'",
        width_min_pixels=0.6,
        joint_rounded=True,
        cap_rounded=True,
        lift=1,
        pickable=False,
    )


def _shadow_layer(assets: SceneAssets, palette: Palette) -> pdk.Layer:
    return pdk.Layer(
        "SolidPolygonLayer",
        id="shadows",
        data=_data(assets.layers["shadows"]),
        role="'buildings'",
        get_fill_color=_rgba(palette.shadow, palette.shadow_alpha),
        extruded=False,
        lift=2,
        pickable=False,
    )


def _building_layer(assets: SceneAssets, palette: Palette) -> pdk.Layer:
    layer = assets.layers["buildings"]
    return pdk.Layer(
        "SolidPolygonLayer",
        id="buildings",
        data=_data(layer),
        role="'buildings'",
        row=layer.extra["row"],
        paint={
            "attribute": "getFillColor",
            "value": layer.extra["heat_index"],
            "domain": list(HEAT_INDEX_RANGE_W_M2),
            "ramp": [list(palette.building_heated_low), list(palette.building_heated_high)],
            "none": list(palette.building),
        },
        extruded=True,
        extensions=[{"@@type": "GroundingExtension"}],
        material={"ambient": 0.55, "diffuse": 0.62, "shininess": 8, "specularColor": [20, 24, 30]},
        pickable=True,
    )


def _pipe_layers(assets: SceneAssets, palette: Palette, side: str) -> list[pdk.Layer]:
    """Casing, then the pipe where it is in sight, then a faint one where something stands before it."""
    layer = assets.layers[f"pipes.{side}"]
    offset = SUPPLY_SIDE if side == "supply" else RETURN_SIDE
    common: dict[str, Any] = {
        "data": _data(layer),
        "role": f"'pipes.{side}'",
        "row": layer.extra["row"],
        "width_units": "'meters'",
        "width_min_pixels": 3.0,
        "joint_rounded": True,
        "cap_rounded": True,
        "billboard": True,
        "extensions": [{"@@type": "SideOffsetExtension", "offset": offset}],
        "live": {
            "side": side,
            "ramp": [list(c) for c in (palette.supply if side == "supply" else palette.back)],
        },
        "lift": 4,
    }
    return [
        pdk.Layer("PathLayer", id=f"pipes.{side}", pickable=True, **common),
        pdk.Layer(
            "PathLayer",
            id=f"pipes.{side}.hidden",
            pickable=False,
            opacity=0.34,
            parameters={"depthCompare": "greater", "depthWriteEnabled": False},
            **common,
        ),
    ]


def _view_state(assets: SceneAssets) -> pdk.ViewState:
    """Only a start: the browser fits the view to the hull, because only it knows the screen's shape."""
    lon, lat = assets.frame.origin
    return pdk.ViewState(
        longitude=lon,
        latitude=lat,
        zoom=13.0,
        min_zoom=9.0,
        max_zoom=19.0,
        pitch=PITCH_DEG,
        bearing=assets.focus["bearing"],
        max_pitch=78.0,
        position=[0.0, 0.0, assets.frame.datum_m],
    )


def make_deck(assets: SceneAssets, palette: Palette) -> pdk.Deck:
    """Return the scene as a pydeck deck, without a base map."""
    layers = [
        _ground_layer(assets),
        _road_layer(assets, palette),
        _shadow_layer(assets, palette),
        *(_pipe_layers(assets, palette, "return")[:1]),
        *(_pipe_layers(assets, palette, "supply")[:1]),
        _building_layer(assets, palette),
        *(_pipe_layers(assets, palette, "return")[1:]),
        *(_pipe_layers(assets, palette, "supply")[1:]),
    ]
    return pdk.Deck(
        layers=layers,
        views=[pdk.View("MapView", controller={"inertia": 200, "keyboard": True, "touchRotate": True})],
        initial_view_state=_view_state(assets),
        map_provider=None,
        map_style=None,
    )


def make_spec(library: SceneLibrary, lang: str, theme: str, view: str) -> dict[str, Any]:
    """Return the spec as JSON-ready tables.

    Parameters
    ----------
    lang : zh or en
    theme : key of ``PALETTES``
    view : key of ``VIEWS``
    """
    assets, palette = library.assets, PALETTES[theme]
    deck: dict[str, Any] = json.loads(make_deck(assets, palette).to_json())
    origin = [*assets.frame.origin, assets.frame.datum_m]
    deck["scene"] = {
        "version": SPEC_VERSION,
        "view": view,
        "mode": VIEWS[view],
        "lang": lang,
        "theme": theme,
        "origin": origin,
        "extent": list(assets.mesh.extent_m),
        "focus": assets.focus,
        "sun": sun_direction().round(4).tolist(),
        "lights": LIGHTS[theme],
        "places": assets.places,
        "counts": {"nodes": len(assets.county.network.nodes), "pipes": len(assets.county.network.pipes)},
        "palette": {
            "background": list(palette.background),
            "none": list(palette.no_answer),
            "casing": list(palette.casing),
            "marker": list(palette.station),
            "accent": list(palette.accent),
            "supply": [list(c) for c in palette.supply],
            "return": [list(c) for c in palette.back],
        },
        "texts": read_texts(lang),
        "ground": f"/scene/ground/{theme}.webp?v={library.ground_digest(theme)}",
        "buffers": {
            name.removesuffix(".bin"): f"/scene/buffers/{name}?v={blob.digest}"
            for name, blob in assets.blobs.items()
            if name.endswith(".bin")
        },
        "tables": f"/scene/buffers/tables.json?v={assets.blobs['tables.json'].digest}",
    }
    return deck
