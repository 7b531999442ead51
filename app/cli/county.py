"""``import-county``: a county of one's own from GIS files."""

from pathlib import Path
from typing import Annotated

import typer


def import_county(
    mapping: Annotated[
        Path, typer.Argument(help="The TOML file that says which column of which file is what.")
    ],
    into: Annotated[Path, typer.Option(help="Folder of the county; replaced only when everything is right.")],
    lang: Annotated[str, typer.Option(help="Language of the report, zh or en.")] = "zh",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings too keep it from being saved.")] = False,
) -> int:
    """Read GeoPackage, Shapefile, GeoJSON and CSV through a mapping; all or nothing, with a report."""
    from ingest.county.importer import run_import

    report = run_import(mapping, into, allow_warnings=not strict)
    typer.echo(report.text(lang))
    return 0 if report.saved else 1
