"""A PostgreSQL of its own in a temporary folder, from Debian's package."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.system import free_port


def find_programs() -> Path:
    """Where Debian puts ``initdb`` and ``pg_ctl`` (outside every PATH)."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "postgresql is not installed; `make test` installs it"
    return found[-1].parent


@contextmanager
def run_postgres() -> Iterator[str]:
    """The libpq text that reaches a fresh database; it ends with the context. It refuses to run as root."""
    programs, port = find_programs(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="county-twin-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    user = "postgres" if as_user else getpass.getuser()

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, cwd=folder, stdout=subprocess.DEVNULL)

    data = str(folder / "data")
    run(str(programs / "initdb"), "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync", "-U", user)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run(str(programs / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"host=127.0.0.1 port={port} dbname=postgres user={user}"
    finally:
        run(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
