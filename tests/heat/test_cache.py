"""Compiled kernels of other sources are never used."""

from pathlib import Path

import numba
import pytest

import twin.heat
from twin.heat.__main__ import main
from twin.heat._cache import HERE, name_of_sources
from twin.heat.friction import colebrook


def test_the_name_changes_with_any_source_and_only_with_sources(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    (tmp_path / "b.py").write_text("y = 1")
    first = name_of_sources(tmp_path)
    (tmp_path / "notes.txt").write_text("no source")
    assert name_of_sources(tmp_path) == first
    (tmp_path / "b.py").write_text("y = 2")
    second = name_of_sources(tmp_path)
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    assert len({first, second, name_of_sources(tmp_path)}) == 3


def test_kernels_are_kept_in_the_folder_of_these_very_sources() -> None:
    assert twin.heat.__file__ == str(HERE / "__init__.py")
    assert Path(numba.config.CACHE_DIR).name == f"kernels-{name_of_sources()}"
    colebrook(1e5, 1e-4)
    assert Path(colebrook.stats.cache_path).is_relative_to(numba.config.CACHE_DIR)


def test_the_engine_can_be_compiled_before_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert name_of_sources() in capsys.readouterr().out
