"""The examples of docs/heat-engine.md run as printed."""

from pathlib import Path

from ingest.county import save_county
from tests.support.tiny import make_tiny_county

DOCUMENT = Path(__file__).parents[2] / "docs" / "heat-engine.md"


def test_the_examples_run(tmp_path, capsys):
    folder = tmp_path / "county"
    save_county(make_tiny_county(), folder)
    text = DOCUMENT.read_text(encoding="utf-8")
    codes = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    assert len(codes) == 2
    scope = {"folder": folder}
    for code in codes:
        assert len([line for line in code.splitlines() if line]) <= 20
        exec(compile(code, str(DOCUMENT), "exec"), scope)
    assert scope["run"].states[-1].converged
    assert (folder / "first-station.html").stat().st_size > 10_000
    assert "3600.0" in capsys.readouterr().out
    assert scope["tomorrow"].t_room_c.shape == (1440, len(scope["system"].buildings.ids))
