"""Every visible word is in the table, in both languages, and none is written beside it."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from app.i18n import TEXTS, translate
from app.scene.texts import SCENE_TEXTS

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ("app/pages", "app/web", "app/charts", "app/domains", "app/live")
HAN = re.compile("[\u4e00-\u9fff]")
KEY = re.compile(r'"([a-z]+\.[a-z0-9_]+)"')


def shown_files() -> list[Path]:
    return [p for folder in SHOWN for p in sorted((ROOT / folder).rglob("*.py"))]


def docstrings(tree: ast.AST) -> set[int]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    with_body = [n for n in ast.walk(tree) if isinstance(n, kinds) and n.body]
    first = [n.body[0] for n in with_body]
    return {id(e.value) for e in first if isinstance(e, ast.Expr)}


def literals(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skip = docstrings(tree)
    every = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in skip]
    return [n.value for n in every if isinstance(n.value, str)]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_a_word_has_both_languages_with_the_same_places(key: str) -> None:
    zh, en = TEXTS[key]
    assert zh.strip() and en.strip()
    assert places(zh) == places(en)
    assert not HAN.search(en) or key.endswith("other_language"), "the English text is Chinese"


def test_pages_carry_no_words_of_their_own() -> None:
    found = {str(p.relative_to(ROOT)): [s for s in literals(p) if HAN.search(s)] for p in shown_files()}
    assert {name: words for name, words in found.items() if words} == {}


def test_scripts_carry_no_chinese_words() -> None:
    for path in sorted((ROOT / "assets").glob("*.js")):
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert HAN.findall(code) == [], path.name


def test_every_word_asked_for_is_in_the_table() -> None:
    groups = {key.split(".")[0] for key in TEXTS}
    asked = {k for p in shown_files() for s in literals(p) for k in KEY.findall(f'"{s}"')}
    asked = {k for k in asked if k.split(".")[0] in groups and not k.endswith((".py", ".js", ".css"))}
    assert asked - set(TEXTS) == set()


def test_no_word_is_left_over() -> None:
    """A key is used as it stands, or made from its group (``f"vital.{key}"``)."""
    code = "\n".join(p.read_text(encoding="utf-8") for p in shown_files())
    made = set(re.findall(r'f"([a-z]+)\.\{', code))
    named = set(re.findall(r"""["']([a-z]+\.[a-z0-9_]+)["']""", code))
    assert {k for k in set(TEXTS) - set(SCENE_TEXTS) - named if k.split(".")[0] not in made} == set()


def test_places_are_filled_and_an_unknown_word_is_an_error() -> None:
    assert translate("vital.of", "zh", n=3) == "3 个测点"
    assert translate("vital.of", "en", n=3) == "3 sensors"
    with pytest.raises(KeyError):
        translate("no.such.word", "zh")
