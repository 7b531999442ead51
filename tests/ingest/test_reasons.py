"""Every reason that ingest gives has a row, is read back with its values, and has Chinese words."""

import ast
import re
from pathlib import Path

import pytest

from ingest.reasons import ROWS, read_reason, translate_reason
from tests.ingest.golden import find_cases

ROOT = Path(__file__).resolve().parents[2]
HAN = re.compile("[\u4e00-\u9fff]")
PLACES = ("ingest/adapters", "ingest/worker", "ingest/onboarding", "app/access")
NAMES = {"PayloadError", "InputError", "TooLong", "Answer", "append", "_refuse"}
COMMANDS = ("dialect: ", "birth: ")
"""Reasons of commands, which have codes of their own (``why.*`` of the page 指令)."""


def sample(node: ast.expr) -> str | None:
    """The text of a literal, its values replaced by what could stand there; None: made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = []
    for i, p in enumerate(node.values):
        if isinstance(p, ast.Constant):
            parts.append(str(p.value))
            continue
        name = ast.unparse(p.value) if isinstance(p, ast.FormattedValue) else ""
        counted = re.search(r"len\(|MAX_|number|limit|start|bit_length", name) and p.conversion == -1  # type: ignore[attr-defined]
        parts.append("7" if counted else "empty payload" if name == "e" and i else f"v{i}")
    return "".join(parts)


def raised() -> list[tuple[str, str]]:
    """(place, sample) of every reason that is raised or noted as a problem."""
    found = []
    for path in (p for folder in PLACES for p in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            of = ast.unparse(node.func)
            if name not in NAMES or (name == "append" and not of.endswith("problems.append")):
                continue
            if name == "Answer" and "probe" not in path.name:
                continue
            for arg in node.args[1:] if name == "Answer" else node.args[:1]:
                text = sample(arg)
                if text and re.search("[a-z]{3}", text) and not text.startswith(COMMANDS):
                    found.append((f"{path.relative_to(ROOT)}:{node.lineno}", text))
    return found


def test_every_place_that_gives_a_reason_has_a_row() -> None:
    rows = raised()
    assert len(rows) > 70
    missing = {place: text for place, text in rows if translate_reason(text, "zh") == text}
    assert missing == {}


@pytest.mark.parametrize("code", sorted(ROWS))
def test_a_row_is_read_back_with_its_values(code: str) -> None:
    english, chinese = ROWS[code]
    names = re.findall(r"{(\w+)}", english)
    assert set(re.findall(r"{(\w+)}", chinese)) <= set(names)
    assert HAN.search(chinese) or code == "of"
    digits = re.compile("line|row|count|max|size|needed|number|mended|bad|cut|readings")
    values = {
        n: "never heard"
        if n.endswith("_why")
        else "7"
        if digits.fullmatch(n)
        else "int"
        if n == "kind"
        else f"'x {n}'"
        for n in names
    }
    found = read_reason(english.format(**values))
    assert found is not None and (found.code, found.values) == (code, values)


def test_golden_refusals_are_said_in_chinese() -> None:
    for case in find_cases():
        file = case.folder / "error.txt"
        if file.exists():
            said = translate_reason(file.read_text(encoding="utf-8").strip(), "zh")
            assert HAN.search(said), (case.folder.name, said)


def test_reasons_within_reasons_and_words_of_no_row() -> None:
    text = "HRZ1: unknown point 'X'; line 3: 4 cells, 5 are needed; and 2 more"
    assert translate_reason(text, "zh") == "HRZ1：没有测点 'X'；第 3 行：有 4 个单元格，应为 5 个；另有 2 处"
    assert translate_reason(text, "en") == text
    for odd in ("", "something: of no row", "a; b", ": ; :", "x" * 5000):
        assert translate_reason(odd, "zh") == odd
    assert translate_reason("unknown device 'a; b': add it to the county's devices", "zh").startswith(
        "未登记的设备 'a; b'"
    )
