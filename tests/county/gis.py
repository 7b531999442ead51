"""GIS files as a department would hand them over, made from the tiny county."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from tests.support.tiny import make_tiny_county
from twin.model.county import County
from twin.model.network import Side

CENTER = "[103.62, 35.58]"

HEAD = f"""
[county]
adcode = "620999"
name = "清河县"
name_en = "Qinghe County"
center = {CENTER}
design_outdoor_c = -9.0
"""

Frames = dict[str, geopandas.GeoDataFrame]


def make_frames(county: County | None = None) -> Frames:
    """Return pipes, stations, sources and buildings with Chinese column names, in WGS 84."""
    county = county or make_tiny_county()
    n = county.network
    return {
        "pipes": _frame(
            {
                "编号": [p.id for p in n.pipes],
                "类型": ["供水" if p.side is Side.SUPPLY else "回水" for p in n.pipes],
                "管径": [f"{p.diameter_m * 1000:.0f}" for p in n.pipes],
            },
            [shapely.LineString(p.path) for p in n.pipes],
        ),
        "substations": _frame(
            {"编号": [s.id for s in n.substations], "名称": [s.name for s in n.substations]},
            [shapely.Point(s.lon, s.lat) for s in n.substations],
        ),
        "sources": _frame(
            {
                "编号": [s.id for s in n.sources],
                "名称": [s.name for s in n.sources],
                "容量": [s.capacity_w / 1e6 for s in n.sources],
                "类别": ["热电" if s.kind == "chp" else "锅炉" for s in n.sources],
            },
            [shapely.Point(s.lon, s.lat) for s in n.sources],
        ),
        "buildings": _frame(
            {
                "编号": [b.id for b in county.buildings],
                "层数": [b.floors for b in county.buildings],
                "换热站": [b.substation_id for b in county.buildings],
            },
            [shapely.Polygon(b.footprint) for b in county.buildings],
        ),
    }


def _frame(table: dict[str, list[Any]], shapes: list[Any]) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")


COLUMNS = {
    "pipes": """
id = "编号"
side = { column = "类型", values = { "供水" = "supply", "回水" = "return" } }
diameter_m = { column = "管径", unit = "mm" }
""",
    "substations": """
id = "编号"
name = "名称"
""",
    "sources": """
id = "编号"
name = "名称"
capacity_w = { column = "容量", unit = "MW" }
kind = { column = "类别", values = { "热电" = "chp", "锅炉" = "boiler" } }
""",
    "buildings": """
id = "编号"
floors = "层数"
substation_id = "换热站"
""",
}


def write_mapping(
    folder: Path, files: dict[str, str], *, extra: str = "", keys: dict[str, str] | None = None
) -> Path:
    """Write a mapping of ``files`` (layer -> file name); ``keys`` adds lines to a layer's table."""
    text = HEAD
    for layer, file in files.items():
        text += f'\n[layers.{layer}]\nfile = "{file}"\n{(keys or {}).get(layer, "")}\n'
        text += f"[layers.{layer}.columns]{COLUMNS[layer]}"
    path = folder / "mapping.toml"
    path.write_text(text + extra, encoding="utf-8")
    return path


def shift_frame(frame: geopandas.GeoDataFrame, change: Callable[..., Any]) -> geopandas.GeoDataFrame:
    """Return ``frame`` with every position changed by ``change(lon, lat)``; it still says EPSG:4326."""

    def move(coords: Any) -> Any:
        return np.column_stack(change(coords[:, 0], coords[:, 1]))

    shapes = shapely.transform(frame.geometry.to_numpy(), move)
    return geopandas.GeoDataFrame(frame.drop(columns="geometry"), geometry=shapes, crs=frame.crs)


def write_frames(folder: Path, frames: Frames, suffix: str, **options: Any) -> dict[str, str]:
    """Write every frame to ``<layer><suffix>``; return layer -> file name."""
    for name, frame in frames.items():
        frame.to_file(folder / f"{name}{suffix}", **options)
    return {name: f"{name}{suffix}" for name in frames}
