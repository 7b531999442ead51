"""Environments of the SDKs: they drag in old brothers of what we use, so each family has its own."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FAMILIES = ("modern", "protobuf3", "thingsboard", "huawei")
"""Python environments, one list of pinned packages each."""


def install(cache: Path, family: str) -> Path:
    """The interpreter of a family; made when it is not there or its list has changed.

    Raises
    ------
    subprocess.CalledProcessError : a package cannot be had
    """
    home, wanted = cache / family, HERE / f"{family}.txt"
    python = home / "bin" / "python"
    if not _is_made(home, wanted):
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-qqq", "--disable-pip-version-check", "-r", str(wanted)],
            check=True,
        )
        shutil.copy(wanted, home / "made.txt")
    return python


def install_node(cache: Path, name: str = "package") -> Path:
    """The folder ``node_modules`` of a list; no install script of a package is run."""
    home, wanted = cache / f"node-{name}", HERE / f"{name}.json"
    if not _is_made(home, wanted):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        shutil.copy(wanted, home / "package.json")
        subprocess.run(
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=home, check=True,
        )  # fmt: skip
        shutil.copy(wanted, home / "made.txt")
    return home / "node_modules"


def _is_made(home: Path, wanted: Path) -> bool:
    made = home / "made.txt"
    return made.exists() and made.read_bytes() == wanted.read_bytes()
