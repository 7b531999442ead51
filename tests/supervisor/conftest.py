import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.supervisor.spec import ChildSpec

Make = Callable[..., ChildSpec]


@pytest.fixture
def fake() -> Make:
    """A child that runs a few lines of Python."""

    def make(name: str, code: str, **more: object) -> ChildSpec:
        settings: dict[str, object] = {"settle_s": 0.05, "grace_s": 1.0, **more}
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        return ChildSpec(name, (sys.executable, "-c", code), env, **settings)  # type: ignore[arg-type]

    return make


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    (folder / "run").mkdir(parents=True)
    return folder
