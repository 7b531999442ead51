"""One supervisor per data folder, and nothing left over from one that was killed."""

import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.model.errors import ConfigError


@contextmanager
def hold_data_folder(data: Path) -> Iterator[None]:
    """Hold the data folder for this process; the kernel lets go of it however the process ends.

    Raises
    ------
    ConfigError : another supervisor holds it, or the folder cannot be written; the text says the mend
    """
    path = data / "run" / "supervisor.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as e:
        raise ConfigError(
            f"The data folder {data} cannot be written ({e.strerror}); "
            "give a folder of yours with --data or CT_DATA."
        ) from e
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            file.seek(0)
            who = file.read().strip() or "unknown"
            raise ConfigError(
                f"County Twin already runs on the data folder {data} (process {who}); "
                "stop it there with Ctrl-C, or give another folder with --data."
            ) from e
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def is_held(data: Path) -> bool:
    """Whether a supervisor runs on the data folder now."""
    path = data / "run" / "supervisor.lock"
    if not path.exists():
        return False
    with path.open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def process_birth(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (with the pid it names one process), or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(text.rsplit(")", 1)[1].split()[19])


def kill_leftovers(status_file: Path) -> list[str]:
    """Kill what a killed supervisor left behind, by the pids and births in its status file; return the names.

    Call only while holding the data folder. A broker started as root gives up its rights and with them the
    kernel's promise to end it together with its parent; this is the second net.
    """
    try:
        said = json.loads(status_file.read_text(encoding="utf-8"))
        known = [(str(p["name"]), int(p["pid"]), int(p["birth"])) for p in said["processes"] if p.get("pid")]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return list(_kill_known(known))


def _kill_known(known: Iterable[tuple[str, int, int]]) -> Iterator[str]:
    for name, pid, birth in known:
        if process_birth(pid) == birth:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                yield name
