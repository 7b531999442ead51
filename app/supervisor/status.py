"""The status file: what the supervisor says of its processes, for the dashboard and ``doctor``."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.supervisor.child import Child
from app.supervisor.lock import process_birth

SAID = {"waiting": "starting", "done": "stopped", "failed": "stopped"}
"""Inner states that the file tells under a plainer name."""


def describe_child(child: Child) -> dict[str, Any]:
    """Return one entry of the file; ``pid`` with ``birth`` names one process for ever."""
    return {
        "name": child.spec.name,
        "state": SAID.get(child.state, child.state),
        "pid": child.pid,
        "birth": process_birth(child.pid) if child.pid is not None else None,
        "since": child.since,
        "restarts": child.restarts,
        "detail": child.detail,
    }


def write_status(file: Path, children: Iterable[Child], extra: dict[str, Any] | None = None) -> None:
    """Replace the status file at once, so that a reader never sees half of it.

    Raises
    ------
    OSError : the disk is full or the folder is gone
    """
    said = {
        "t": time.time(),
        "supervisor": os.getpid(),
        **(extra or {}),
        "processes": [describe_child(c) for c in children],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    fresh.replace(file)
