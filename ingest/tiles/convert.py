"""From the content of one tile to a clean glb in the county's frame, with what the report wants to know."""

import gzip
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.frames import CountyFrame, Placement
from ingest.tiles.glb import Part, Picture, write_glb
from ingest.tiles.gltf import Content
from ingest.tiles.journal import Done, Triple
from twin.model.errors import InputError
from twin.model.network import LonLat

Floats = NDArray[np.float64]
GROUND_PERCENTILE = 10.0
WORTH_PACKING = 0.85
"""A gzip copy is kept beside a tile when it is smaller than this; pictures alone never are."""
MAX_FAR_M = 200_000.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where results go: the layer's folder and the county's place."""

    out: Path
    origin: LonLat

    @property
    def frame(self) -> CountyFrame:
        """The county's east/north/up."""
        return CountyFrame(self.origin)


def place_content(content: Content, placement: Placement) -> list[Part]:
    """Return the parts with positions in metres east, north, up of the county (double)."""
    return [replace(p, positions=placement.place(p.positions + content.centre)) for p in content.parts]


def save_parts(parts: list[Part], target: Target, out: str, done: Done) -> Done:
    """Write placed parts as ``out`` and fill in ``done``; nothing is written for no parts.

    Raises
    ------
    InputError : it lies far from the county
    """
    parts = [part for part in parts if len(part.positions)]
    if not parts:
        return done
    low = np.min([p.positions.min(axis=0) for p in parts], axis=0)
    high = np.max([p.positions.max(axis=0) for p in parts], axis=0)
    centre = np.round((low + high) / 2.0, 3)
    if np.abs(centre[:2]).max() > MAX_FAR_M:
        lon, lat, _ = target.frame.to_degrees(centre[None])
        raise InputError(
            f"lies at {lon[0]:.4f} E {lat[0]:.4f} N, {np.hypot(*centre[:2]) / 1000:.0f} km from "
            "the county's centre; check the county, --crs and --origin"
        )
    data = write_glb([replace(p, positions=p.positions - centre) for p in parts])
    path = target.out / out
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
    packed = gzip.compress(data, compresslevel=5, mtime=0)
    if len(packed) < WORTH_PACKING * len(data):
        write_whole(path.with_name(f"{path.name}.gz"), packed)
    return replace(
        done, out=out, low=_triple(low), high=_triple(high), centre=_triple(centre), bytes=len(data),
        ground=_find_ground(parts, centre, target.frame),
        triangles=sum(len(p.triangles) for p in parts if p.triangles is not None),
        points=sum(len(p.positions) for p in parts if p.triangles is None),
        texture_bytes=sum(len(picture.data) for picture in list_pictures(parts)),
    )  # fmt: skip


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def list_pictures(parts: list[Part]) -> list[Picture]:
    """Return the different pictures of parts."""
    return list(dict.fromkeys(p.material.picture for p in parts if p.material.picture is not None))


def _find_ground(parts: list[Part], centre: Floats, frame: CountyFrame) -> Triple:
    up = np.concatenate([p.positions[:, 2] for p in parts])
    low = np.array([[centre[0], centre[1], np.percentile(up, GROUND_PERCENTILE)]])
    lon, lat, height = frame.to_degrees(low)
    return float(lon[0]), float(lat[0]), float(height[0])


def _triple(values: NDArray[np.floating]) -> Triple:
    x, y, z = map(float, values)
    return x, y, z
