"""Prices and limits of dispatch: ``tariff.toml`` in the county folder, defaults where it is silent."""

from pathlib import Path
from typing import Any

from app.domains.heating.own_file import read_own
from twin.dispatch import Tariff

FILE = "tariff.toml"


def read_tariff(folder: Path) -> tuple[Tariff, bool]:
    """The tariff of a county folder, and whether it is its own (else defaults).

    Raises
    ------
    InputError : the file cannot be read, names something unknown, or a value cannot be; names the place
    """
    return read_own(folder / FILE, Tariff, _plain)


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
