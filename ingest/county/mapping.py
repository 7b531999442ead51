"""The mapping file of an import: which file, layer and column become which layer and column of ours."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ingest.county.meta import parse_meta, parse_toml
from ingest.county.schema import LAYERS, TERRAIN_LAYER
from ingest.county.units import DIAMETER_UNITS, IMPORT_UNITS
from twin.model.county import CountyMeta
from twin.model.errors import CountyError
from twin.model.network import LonLat


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Where a column of ours comes from. ``unit``: unit in the file, empty = ours; ``values``: its words."""

    column: str
    unit: str = ""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceMap:
    """One file (or one layer of it) that feeds one of our layers.

    ``crs``: empty = the file's own; ``x``, ``y`` or ``wkt`` name the position columns of a CSV.
    """

    target: str
    file: Path
    layer: str = ""
    encoding: str = ""
    crs: str = ""
    x: str = ""
    y: str = ""
    wkt: str = ""
    columns: dict[str, ColumnMap] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How the importer mends and derives. Lengths in metres on the ground.

    ``snap_m``: pipe ends this close are one node; ``attach_m``: farthest node of a station or source;
    ``mirror_return``: draw a return pipe for every supply pipe when there are none;
    ``heat_index_w_m2``: design heat per floor area where none is given; ``terrain_step_m``: grid step.
    """

    snap_m: float = 0.5
    attach_m: float = 50.0
    mirror_return: bool = True
    heat_index_w_m2: float = 50.0
    terrain_step_m: float = 100.0


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A feature whose true WGS 84 position is known; it betrays shifted coordinates."""

    layer: str
    id: str
    lonlat: LonLat


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """The whole mapping file; paths are absolute."""

    meta: CountyMeta
    sources: tuple[SourceMap, ...]
    options: ImportOptions
    controls: tuple[ControlPoint, ...]


def read_mapping(path: Path | str) -> ImportMapping:
    """Read a mapping file.

    Raises
    ------
    CountyError : not TOML, or a table, key or unit is wrong; every fault is one finding
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise CountyError(f"the mapping {path} cannot be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise CountyError(f"the mapping {path} is not UTF-8: {e}; save it as UTF-8") from e
    tables = parse_toml(text, str(path))
    found = [f"{k}: is not known; use county, options, layers, control" for k in tables if k not in _TABLES]
    meta = parse_meta(tables.get("county"), str(path))
    options = _read_options(tables.get("options", {}), found)
    controls = _read_controls(tables.get("control", []), found)
    sources: list[SourceMap] = []
    layers = tables.get("layers", {})
    for target, entry in layers.items() if isinstance(layers, dict) else ():
        if target not in (*LAYERS, TERRAIN_LAYER):
            found.append(f"layers.{target}: is not a layer; use {', '.join((*LAYERS, TERRAIN_LAYER))}")
            continue
        for row in entry if isinstance(entry, list) else [entry]:
            source = _read_source(target, row, path.parent, found)
            if source is not None:
                sources.append(source)
    if not sources and not found:
        found.append("layers: no layer is mapped; write at least [layers.pipes] and [layers.sources]")
    if found:
        raise CountyError(f"the mapping {path} is wrong", tuple(found))
    return ImportMapping(meta, tuple(sources), options, controls)


_TABLES = ("county", "options", "layers", "control")


def _read_options(table: Any, found: list[str]) -> ImportOptions:
    values: dict[str, Any] = {}
    known = {f.name for f in fields(ImportOptions)}
    for key, value in table.items() if isinstance(table, dict) else ():
        if key not in known:
            found.append(f"options.{key}: is not known; use {', '.join(sorted(known))}")
        elif key == "mirror_return":
            values[key] = bool(value)
        elif isinstance(value, int | float) and value > 0:
            values[key] = float(value)
        else:
            found.append(f"options.{key}: is {value!r}; give a number above 0")
    return ImportOptions(**values)


def _read_controls(rows: Any, found: list[str]) -> tuple[ControlPoint, ...]:
    controls = []
    for no, row in enumerate(rows if isinstance(rows, list) else [rows], 1):
        try:
            controls.append(
                ControlPoint(row["layer"], str(row["id"]), (float(row["lon"]), float(row["lat"])))
            )
        except (KeyError, TypeError, ValueError):
            found.append(f"control {no}: give layer, id, lon and lat (WGS 84 degrees)")
    return tuple(controls)


_SOURCE_KEYS = ("file", "layer", "encoding", "crs", "x", "y", "wkt", "columns", "constants")


def _read_source(target: str, table: Any, folder: Path, found: list[str]) -> SourceMap | None:
    where = f"layers.{target}"
    if not isinstance(table, dict) or not isinstance(table.get("file"), str):
        found.append(f'{where}: name the source, e.g. file = "pipes.shp"')
        return None
    texts = {}
    for key, value in table.items():
        if key not in _SOURCE_KEYS:
            found.append(f"{where}.{key}: is not known; use {', '.join(_SOURCE_KEYS)}")
        elif key not in ("file", "columns", "constants"):
            texts[key] = str(value)
    if bool(texts.get("x")) != bool(texts.get("y")):
        found.append(f"{where}: x and y go together")
    ours = {"height_m"} if target == TERRAIN_LAYER else {c.name for c in LAYERS[target].columns}
    columns, constants = table.get("columns", {}), table.get("constants", {})
    for name in (*columns, *constants):
        if name not in ours:
            found.append(f"{where}: {name} is not a column of {target}; see docs/county-format.md")
    maps = {n: _read_column(target, n, entry, found) for n, entry in columns.items() if n in ours}
    return SourceMap(
        target=target,
        file=(folder / table["file"]).absolute(),
        columns={n: m for n, m in maps.items() if m is not None},
        constants=dict(constants),
        **texts,
    )


def _read_column(target: str, name: str, entry: Any, found: list[str]) -> ColumnMap | None:
    where = f"layers.{target}.columns.{name}"
    if isinstance(entry, str):
        return ColumnMap(entry)
    if not isinstance(entry, dict) or not isinstance(entry.get("column"), str):
        found.append(f'{where}: give a column name or {{ column = "...", unit = "...", values = {{...}} }}')
        return None
    found.extend(
        f"{where}.{key}: is not known; use column, unit, values"
        for key in entry
        if key not in ("column", "unit", "values")
    )
    unit, values = str(entry.get("unit", "")), entry.get("values", {})
    if unit:
        _check_unit(target, name, unit, where, found)
    if not isinstance(values, dict):
        found.append(f'{where}.values: give a table, e.g. {{ "供水" = "supply" }}')
        values = {}
    return ColumnMap(entry["column"], unit, values)


def _check_unit(target: str, name: str, unit: str, where: str, found: list[str]) -> None:
    if unit in DIAMETER_UNITS:
        if name != "diameter_m":
            found.append(f"{where}: the unit {unit} is for diameter_m only")
        return
    ours = "m" if target == TERRAIN_LAYER else next(c.unit for c in LAYERS[target].columns if c.name == name)
    legal = [u for u, (base, _) in IMPORT_UNITS.items() if base == ours]
    if unit not in legal:
        found.append(f"{where}: the unit {unit} does not become {ours or 'a plain number'}; use {legal}")
