"""Save a county: ``county.toml`` and ``county.gpkg``, replaced only when both are complete."""

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.county.meta import FORMAT, render_meta, render_toml
from ingest.county.schema import LAYERS, TERRAIN_LAYER
from twin.model.check import check_county, list_layers
from twin.model.county import County, Terrain
from twin.model.errors import CountyError
from twin.model.findings import split_findings

TOML_NAME = "county.toml"
PENDING_NAME = "county.toml.new"
GPKG_NAME = "county.gpkg"
_HEAD = "# County Twin county. Columns and units: docs/county-format.md"


def save_county(county: County, folder: Path | str, *, check: bool = True) -> None:
    """Write ``county`` into ``folder`` (made if missing); other files there are left alone.

    Both files are first written beside the old ones and forced to disk. ``county.toml.new`` then works as
    a journal: it names the hash of the new GeoPackage, so that whatever moment a crash chooses, the
    reader finds either the old county or the new one (see ``reader.find_toml``).

    Parameters
    ----------
    check : refuse a county with errors (see ``twin.model.check``)

    Raises
    ------
    CountyError : the county has errors, the folder's GeoPackage is open in another program, or the disk
        refuses (full, not writable)
    """
    folder = Path(folder)
    if check:
        errors, _ = split_findings(check_county(county))
        if errors:
            raise CountyError(
                f"county not saved: {len(errors)} features are wrong", tuple(f.line() for f in errors)
            )
    _refuse_open_file(folder / GPKG_NAME)
    staged = folder / f".county-{secrets.token_hex(4)}.gpkg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_gpkg(county, staged)
        _force_to_disk(staged)
        digest = hash_file(staged)
        _write_pending(county, folder, digest)
        staged.replace(folder / GPKG_NAME)
        (folder / PENDING_NAME).replace(folder / TOML_NAME)
        _force_to_disk(folder)
    except (OSError, RuntimeError) as e:  # pyogrio's errors are RuntimeErrors
        raise CountyError(f"county not saved in {folder}: {e}; free space or choose another folder") from e
    except ValueError as e:
        raise CountyError(f"county not saved: {e}") from e
    finally:
        for left in folder.glob(f"{staged.name}*"):
            left.unlink()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _refuse_open_file(gpkg: Path) -> None:
    for suffix in ("-wal", "-journal"):
        log = gpkg.with_name(gpkg.name + suffix)
        if log.exists() and log.stat().st_size > 0:
            raise CountyError(
                f"{gpkg} is open in another program ({log.name} is there); close it (QGIS?) and try again"
            )


def _write_pending(county: County, folder: Path, digest: str) -> None:
    t = county.terrain
    tables = {
        "county": render_meta(county.meta),
        "terrain": {"lon0": t.lon0, "lat0": t.lat0, "dlon": t.dlon, "dlat": t.dlat},
        "files": {"geopackage_sha256": digest},
    }
    staged = folder / f".county-{digest[:8]}.toml"
    staged.write_text(render_toml(tables, f"{_HEAD}\nformat = {FORMAT}"), encoding="utf-8")
    _force_to_disk(staged)
    staged.replace(folder / PENDING_NAME)
    _force_to_disk(folder)


def _force_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_gpkg(county: County, path: Path) -> None:
    import shapely

    from ingest.county.records import make_shapes, make_table

    for name, rows in list_layers(county).items():
        layer = LAYERS[name]
        wkb = None
        if layer.gdal_type:
            wkb = shapely.to_wkb(np.array(make_shapes(layer, rows), dtype=object))
        _write_layer(path, name, wkb, layer.gdal_type, make_table(layer, rows))
    _write_layer(path, TERRAIN_LAYER, *_make_terrain_table(county.terrain))


def _make_terrain_table(terrain: Terrain) -> tuple[Any, str, dict[str, Any]]:
    import shapely

    n_lat, n_lon = terrain.height_m.shape
    row, col = np.mgrid[0:n_lat, 0:n_lon]
    row, col = row.ravel(), col.ravel()
    points = shapely.points(terrain.lon0 + col * terrain.dlon, terrain.lat0 + row * terrain.dlat)
    height = np.asarray(terrain.height_m, dtype=np.float64).ravel()
    return shapely.to_wkb(points), "Point", {"row": row, "col": col, "height_m": height}


def _write_layer(
    path: Path, layer: str, wkb: Sequence[bytes] | None, gdal_type: str | None, table: dict[str, Any]
) -> None:
    import pyogrio

    pyogrio.raw.write(
        str(path),
        wkb,
        list(table.values()),
        list(table),
        layer=layer,
        driver="GPKG",
        geometry_type=gdal_type,
        crs="EPSG:4326" if gdal_type else None,
        promote_to_multi=False,
        append=path.exists(),
    )
