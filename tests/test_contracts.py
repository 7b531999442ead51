"""What must hold for the whole repository: imports, documents, settings, sizes, nothing from outside."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from twin.model.quantities import QUANTITIES

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "ingest", "twin")
LINE_LIMIT = 400
KNOWN_HOSTS = {"127.0.0.1", "localhost", "0.0.0.0", "www.w3.org"}
"""This machine, and the namespace of SVG, which is a name and not an address."""
ADDRESS = re.compile(r"(?:https?|wss?):(?:\\?/){2}([A-Za-z0-9.-]+)")
SETTING = re.compile(r"\b(CT_[A-Z][A-Z_]*[A-Z]|MQTT_URL)\b")
README_ROW = re.compile(r"^\|\s*`(CT_[A-Z_]+|MQTT_URL)`", re.MULTILINE)


def python_files(*folders: str) -> list[Path]:
    return [p for f in folders for p in sorted((ROOT / f).rglob("*.py")) if not p.name.endswith("_pb2.py")]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def shown_files() -> list[Path]:
    ours = [p for p in sorted((ROOT / "assets").rglob("*")) if p.suffix in {".js", ".css", ".html", ".svg"}]
    return ours + python_files("app")


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_file_has_grown_too_long() -> None:
    lines = {str(p.relative_to(ROOT)): len(read(p).splitlines()) for p in python_files(*PACKAGES, "bench")}
    assert {name: n for name, n in lines.items() if n > LINE_LIMIT} == {}


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_documented_settings_are_those_of_the_code(readme: str) -> None:
    in_code = {name for p in python_files(*PACKAGES) for name in SETTING.findall(read(p))}
    documented = set(README_ROW.findall(read(ROOT / readme)))
    assert documented == in_code


def find_outside_hosts(text: str) -> list[str]:
    return [host for host in ADDRESS.findall(text) if host not in KNOWN_HOSTS]


def test_pages_ask_no_other_host() -> None:
    outside = {str(p.relative_to(ROOT)): find_outside_hosts(read(p)) for p in shown_files()}
    assert {name: hosts for name, hosts in outside.items() if hosts} == {}


def test_a_foreign_host_would_be_found() -> None:
    text = "import 'https://cdn.example/x.js'; open('ws://127.0.0.1:8050'); ns='http://www.w3.org/2000/svg'"
    assert find_outside_hosts(text) == ["cdn.example"]


def test_quantity_table_is_sane() -> None:
    assert len(QUANTITIES) > 20
    for key, q in QUANTITIES.items():
        assert key == q.key
        assert q.low < q.high and q.scale > 0 and 0 <= q.decimals <= 6, key
        assert q.zh and q.en and q.zh != q.en, key


def test_every_runtime_requirement_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
        loose = [line for line in lines if line and not line.startswith("-") and "==" not in line]
        assert loose == [], name


def test_decision_records_have_their_own_numbers_and_say_why() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [p.name[:4] for p in records]
    assert len(set(numbers)) == len(numbers)
    for path in records:
        text = read(path)
        assert re.match(r"\d{4}-[a-z0-9-]+\.md$", path.name), path.name
        assert text.startswith("# "), path.name


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", read(path))
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"[{project['version']}]" in (ROOT / "CHANGELOG.md").read_text()
