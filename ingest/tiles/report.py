"""What an import brought in and what it refused, as text and as JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ingest.tiles.journal import Done
from twin.model.county import Terrain

MB = 1e6
GAP_TO_SAY_M = 3.0
MAX_GROUNDS = 20_000


@dataclass(slots=True)
class Report:
    """Totals of an import. ``refused``: file and reason. ``notes``: what was assumed."""

    layer: str = ""
    source: str = ""
    kind: str = ""
    crs: str = ""
    tiles: int = 0
    triangles: int = 0
    points: int = 0
    texture_mb: float = 0.0
    written_mb: float = 0.0
    read_mb: float = 0.0
    levels: int = 0
    extent_deg: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    height_m: tuple[float, float] = (0.0, 0.0)
    ground_m: float = 0.0
    terrain_gap_m: float | None = None
    height_shift_m: float = 0.0
    max_error_m: float = 0.0
    seconds: float = 0.0
    resumed: int = 0
    published: str = ""
    refused: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    grounds: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, done: Done) -> None:
        """Count one content."""
        self.read_mb += done.read_bytes / MB
        if done.trouble:
            self.refused.append((done.key, done.trouble))
        if not done.out:
            return
        self.tiles += 1
        self.triangles += done.triangles
        self.points += done.points
        self.texture_mb += done.texture_bytes / MB
        self.written_mb += done.bytes / MB
        if done.ground is not None and len(self.grounds) < MAX_GROUNDS:
            self.grounds.append(done.ground)

    def compare_ground(self, terrain: Terrain) -> None:
        """Find the height of the ground, and how far it lies from the county's terrain."""
        if not self.grounds:
            return
        lon, lat, height = np.array(self.grounds).T
        self.ground_m = float(np.median(height))
        n_lat, n_lon = terrain.height_m.shape
        inside = (lon >= terrain.lon0) & (lon <= terrain.lon0 + terrain.dlon * (n_lon - 1))
        inside &= (lat >= terrain.lat0) & (lat <= terrain.lat0 + terrain.dlat * (n_lat - 1))
        if not inside.any():
            self.notes.append("the layer lies outside the county's terrain; heights were not compared")
            return
        gap = height[inside] - terrain.height_at(lon[inside], lat[inside])
        self.terrain_gap_m = float(np.median(gap))
        if abs(self.terrain_gap_m) > GAP_TO_SAY_M:
            self.notes.append(
                f"the ground lies {self.terrain_gap_m:+.1f} m from the county's terrain; heights may be "
                f"above the ellipsoid instead of the sea: import again with --height-shift "
                f"{self.height_shift_m - self.terrain_gap_m:.1f} if so"
            )

    def to_json(self) -> str:
        """Return the report as JSON."""
        row: dict[str, Any] = asdict(self)
        row.pop("grounds")
        return json.dumps(row, ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    def to_text(self) -> str:
        """Return the report as lines for a person."""
        west, south, east, north = self.extent_deg
        gap = "" if self.terrain_gap_m is None else f", {self.terrain_gap_m:+.1f} m to the county's terrain"
        lines = [
            f"layer      {self.layer}  ({self.kind}, {self.crs or 'earth-centred'})",
            f"source     {self.source}",
            f"tiles      {self.tiles} in {self.levels} levels, {self.triangles} triangles"
            + (f", {self.points} points" if self.points else ""),
            f"textures   {self.texture_mb:.1f} MB of {self.written_mb:.1f} MB written, "
            f"{self.read_mb:.1f} MB read",
            f"extent     {west:.5f} {south:.5f} to {east:.5f} {north:.5f}",
            f"heights    {self.height_m[0]:.1f} to {self.height_m[1]:.1f} m, "
            f"ground {self.ground_m:.1f} m{gap}",
            f"error      {self.max_error_m:.2f} m at the coarsest level",
            f"time       {self.seconds:.1f} s"
            + (f", {self.resumed} contents were there from before" if self.resumed else ""),
        ]
        lines += [f"note       {note}" for note in self.notes]
        lines += [
            f"refused    {why}" if file in why else f"refused    {file}: {why}" for file, why in self.refused
        ]
        lines.append(f"published  {self.published}" if self.published else "nothing was published")
        return "\n".join(lines)
