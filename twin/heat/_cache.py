"""Where compiled kernels are kept: a folder of this very source.

Numba looks only at the file of a kernel to see whether its compiled form is still good, not at the files of
the kernels it calls. After an update the old ones would go on computing; a folder named by all sources here
cannot be stale. The package imports this module before every other.
"""

import hashlib
import os
from pathlib import Path

import numba

HERE = Path(__file__).resolve().parent


def name_of_sources(folder: Path = HERE) -> str:
    """Return a short name that changes with any source file of ``folder``."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def keep_kernels() -> None:
    """Point numba's cache to a folder of these sources: beside them or, where that is read-only, the user's.

    ``NUMBA_CACHE_DIR`` says another place; the name of the sources is added to it.
    """
    named, beside = os.environ.get("NUMBA_CACHE_DIR"), HERE / "__pycache__"
    if named:
        base = Path(named)
    elif os.access(beside if beside.exists() else HERE, os.W_OK):
        base = beside
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "county-twin"
    numba.config.CACHE_DIR = str(base / f"kernels-{name_of_sources()}")  # type: ignore[attr-defined]


keep_kernels()  # now: before the first kernel is defined
