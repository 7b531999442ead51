"""DuckDB as this project uses it: extensions from their wheels, nothing fetched at run time."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import duckdb

from twin.model.errors import ConfigError

EXTENSIONS = ("httpfs", "quack")
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 2,
}


KEEP_PAGES = "200MB"
"""Memory for pages and for what a question is answered from; beyond it pages go and sorts use the disk."""


def open_duckdb(path: Path | None = None, memory: str = KEEP_PAGES) -> duckdb.DuckDBPyConnection:
    """Open the file (or a private in-memory database) with both extensions loaded.

    Raises
    ------
    ConfigError : the extension wheels do not fit the installed DuckDB
    duckdb.Error : the file cannot be opened
    """
    target = ":memory:" if path is None else str(path)
    db = duckdb.connect(target, config={**_CONFIG, "memory_limit": memory})
    load_extensions(db, EXTENSIONS)
    return db


def load_extensions(db: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Load extensions from their wheels.

    Raises
    ------
    ConfigError : a wheel is not there or does not fit the installed DuckDB
    """
    for name in names:
        try:
            wheel = resources.files(f"duckdb_extension_{name}")
        except ModuleNotFoundError as e:
            raise ConfigError(f"the wheel duckdb-extension-{name.replace('_', '-')} is not installed") from e
        file = wheel / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if not file.is_file():
            raise ConfigError(
                f"the wheel duckdb-extension-{name} has no build for DuckDB {duckdb.__version__}: "
                "install the versions of requirements.txt"
            )
        db.load_extension(str(file))
