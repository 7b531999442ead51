"""Load a county from its folder; wrong files become a ``CountyError`` with layer, id, reason and mend."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.county import cache
from ingest.county.meta import FORMAT, parse_grid, parse_meta, parse_toml
from ingest.county.schema import LAYERS, REQUIRED, TERRAIN_COLUMNS, TERRAIN_LAYER, Column, Layer
from ingest.county.writer import GPKG_NAME, PENDING_NAME, TOML_NAME, hash_file
from ingest.onboarding.state import merge_county, read_state
from twin.model.check import check_county
from twin.model.county import County, Terrain
from twin.model.errors import CountyError
from twin.model.findings import Finding, make_finding, split_findings
from twin.model.network import HeatNetwork


def load_county(
    folder: Path | str, *, check: bool = True, use_cache: bool = True, onboarded: bool = True
) -> County:
    """Load the county of ``folder``, with the devices that were onboarded since it was made.

    The first load reads the GeoPackage and leaves ``county.cache`` beside it, which later loads use as
    long as the GeoPackage has the same content; a damaged or foreign cache is ignored and made anew.

    Parameters
    ----------
    check : refuse a county with errors (see ``twin.model.check``)
    onboarded : False leaves out what ``onboarding.json`` adds

    Raises
    ------
    CountyError : a file, layer or column is missing, a value has the wrong type, or a feature is wrong
    """
    county = _load_files(Path(folder), check, use_cache)
    return merge_county(county, read_state(Path(folder)), folder) if onboarded else county


def _load_files(folder: Path, check: bool, use_cache: bool) -> County:
    gpkg = folder / GPKG_NAME
    for path in (folder, gpkg):
        if not path.exists():
            raise CountyError(
                f"{path} does not exist; make a county with import-county, or let CT_COUNTY name its folder"
            )
    digest = hash_file(gpkg)
    toml = find_toml(folder, digest)
    tables = _read_toml(toml)
    meta, grid = parse_meta(tables.get("county"), str(toml)), parse_grid(tables.get("terrain"), str(toml))
    key = cache.make_key(digest, meta, grid)
    kept = cache.read_cache(folder, key) if use_cache else None
    if kept is not None:
        return kept
    county = County(meta=meta, **_read_gpkg(gpkg, grid))
    if check:
        errors, _ = split_findings(check_county(county))
        _refuse(gpkg, errors)
        if use_cache:
            cache.write_cache(folder, key, county)
    return county


def find_toml(folder: Path, gpkg_sha256: str) -> Path:
    """Return the county.toml that belongs to the GeoPackage with hash ``gpkg_sha256``.

    A save that was cut off between its two renames has left ``county.toml.new``; it counts only when it
    names the GeoPackage that is there.

    Raises
    ------
    CountyError : there is none
    """
    pending, toml = folder / PENDING_NAME, folder / TOML_NAME
    if pending.exists() and f'"{gpkg_sha256}"' in pending.read_text(encoding="utf-8", errors="replace"):
        return pending
    if not toml.exists():
        raise CountyError(f"{toml} does not exist; a county is a folder with {TOML_NAME} and {GPKG_NAME}")
    return toml


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        tables = parse_toml(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as e:
        raise CountyError(f"{path} is not UTF-8: {e}; save it as UTF-8") from e
    if tables.get("format") != FORMAT:
        raise CountyError(f"{path}: format is {tables.get('format')!r}; this version reads format = {FORMAT}")
    return tables


def _refuse(gpkg: Path, errors: Sequence[Finding]) -> None:
    if errors:
        raise CountyError(f"{gpkg}: {len(errors)} faults", tuple(f.line() for f in errors))


def _read_gpkg(gpkg: Path, grid: tuple[float, float, float, float]) -> dict[str, Any]:
    import pyogrio

    try:
        if not _is_gpkg(gpkg):
            raise CountyError(f"{gpkg} is not a GeoPackage; make it anew with import-county")
        present = {str(name) for name in pyogrio.list_layers(gpkg)[:, 0]}
    except (OSError, pyogrio.errors.DataSourceError) as e:
        raise CountyError(f"{gpkg} cannot be read ({e}); make it anew with import-county") from e
    findings = [
        make_finding(name, "", "missing_layer") for name in (*LAYERS, TERRAIN_LAYER) if name not in present
    ]
    _refuse(gpkg, findings)
    tables: dict[str, tuple[Any, ...]] = {}
    for layer in LAYERS.values():
        tables[layer.name], found = _read_layer(gpkg, layer)
        findings += found
    terrain, found = _read_terrain(gpkg, grid)
    findings += found
    _refuse(gpkg, findings)
    network = {n: tables.pop(n) for n in ("nodes", "pipes", "valves", "pumps", "sources", "substations")}
    return {**tables, "network": HeatNetwork(**network), "terrain": terrain}


def _is_gpkg(path: Path) -> bool:
    """A GeoPackage is an SQLite file with the application id ``GPKG`` (OGC 12-128r19, 1.1.1.1.1)."""
    with path.open("rb") as f:
        head = f.read(100)
    return head.startswith(b"SQLite format 3\0") and head[68:72] == b"GPKG"


def _read_layer(gpkg: Path, layer: Layer) -> tuple[tuple[Any, ...], list[Finding]]:
    import pyogrio
    import shapely

    from ingest.county.records import make_records

    meta, _, wkb, data = pyogrio.raw.read(gpkg, layer=layer.name, read_geometry=layer.gdal_type is not None)
    arrays = dict(zip((str(f) for f in meta["fields"]), data, strict=True))
    findings = [
        *_check_columns(layer.name, layer.columns, arrays),
        *_check_crs(layer, meta.get("crs"), meta.get("geometry_type")),
    ]
    if findings:
        return (), findings
    size = len(data[0]) if data else 0
    table = {name: array.tolist() for name, array in arrays.items()}
    if layer.name == "points":
        _sort_by_number(table)
    shapes = shapely.from_wkb(wkb, on_invalid="ignore") if wkb is not None else None
    return make_records(layer, table, shapes, size)


def _sort_by_number(table: dict[str, list[Any]]) -> None:
    """Points are kept in the order of ``no``, whatever order an editor left them in."""
    order = np.argsort(np.array(table["no"], dtype=np.float64), kind="stable")
    for name, cells in table.items():
        table[name] = [cells[i] for i in order]


# kinds of numpy dtype that each kind of column may have in the file
_DTYPES = {"float": "fiu", "int": "iuf", "bool": "biu", "text": "O", "curve": "O", "props": "O"}


def _check_columns(name: str, columns: tuple[Column, ...], arrays: dict[str, Any]) -> list[Finding]:
    findings = []
    for column in columns:
        array = arrays.get(column.name)
        if array is None:
            if column.default is REQUIRED:
                findings.append(make_finding(name, "", "missing_column", column=column.name))
        elif len(array) and array.dtype.kind not in _DTYPES[column.kind]:
            findings.append(
                make_finding(
                    name, "", "wrong_type", column=column.name, value=array.dtype.name, expected=column.kind
                )
            )
    return findings


def _check_crs(layer: Layer, crs: str | None, geometry_type: str | None) -> list[Finding]:
    if layer.gdal_type is None:
        return []
    if geometry_type is None:
        return [
            make_finding(layer.name, "", "bad_shape", why=f"the layer has no geometry ({layer.gdal_type})")
        ]
    if crs not in ("EPSG:4326", "EPSG:4490"):
        why = f"the layer is in {crs or 'an unknown CRS'}, not EPSG:4326; bring it in with import-county"
        return [make_finding(layer.name, "", "bad_shape", why=why)]
    return []


def _read_terrain(
    gpkg: Path, grid: tuple[float, float, float, float]
) -> tuple[Terrain | None, list[Finding]]:
    import pyogrio

    meta, _, _, data = pyogrio.raw.read(gpkg, layer=TERRAIN_LAYER, read_geometry=False)
    arrays = dict(zip((str(f) for f in meta["fields"]), data, strict=True))
    findings = _check_columns(TERRAIN_LAYER, TERRAIN_COLUMNS, arrays)
    if findings:
        return None, findings
    row, col = arrays["row"].astype(int), arrays["col"].astype(int)
    if not len(row):
        return None, [make_finding(TERRAIN_LAYER, "", "small_terrain")]
    n_lat, n_lon = int(row.max()) + 1, int(col.max()) + 1
    complete = len(row) == n_lat * n_lon and row.min() >= 0 and col.min() >= 0
    height = np.full((n_lat, n_lon), np.nan) if complete else np.empty((0, 0))
    if complete:
        height[row, col] = arrays["height_m"]
    if not complete or np.isnan(height).any():
        why = f"the grid of {n_lat} rows and {n_lon} columns has gaps or repeated heights"
        return None, [make_finding(TERRAIN_LAYER, "", "bad_shape", why=why)]
    return Terrain(*grid, height), []
