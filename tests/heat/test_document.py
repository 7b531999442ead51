"""The example of docs/heat-engine.md runs as printed."""

from pathlib import Path

from ingest.county import save_county
from tests.support.tiny import make_tiny_county

DOCUMENT = Path(__file__).parents[2] / "docs" / "heat-engine.md"


def test_the_example_runs(tmp_path, capsys):
    folder = tmp_path / "county"
    save_county(make_tiny_county(), folder)
    text = DOCUMENT.read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) <= 21
    scope = {"folder": folder}
    exec(compile(code, str(DOCUMENT), "exec"), scope)
    assert scope["run"].states[-1].converged
    assert "3600.0" in capsys.readouterr().out
