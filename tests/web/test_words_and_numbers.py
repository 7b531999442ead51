"""Words, numbers and addresses of the pages."""

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest

from app.charts.lines import Line, break_gaps, draw_lines, local_stamps
from app.format import format_age, format_number, format_value, local_time
from app.i18n import TEXTS, translate
from app.pages.data_quality import peek
from app.web.shell import read_view

ROOT = Path(__file__).resolve().parents[2]
CJK = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("x", "decimals", "text"),
    [
        (1234.5, 1, "1,234.5"),
        (-0.04, 1, "0.0"),
        (-3.25, 1, "\N{MINUS SIGN}3.2"),
        (math.nan, 1, "--"),
        (0.0, 0, "0"),
    ],
)
def test_numbers_as_people_read_them(x: float, decimals: int, text: str) -> None:
    assert format_number(x, decimals) == text


def test_values_carry_their_display_unit() -> None:
    assert format_value("pressure", 703_000.0) == "0.703 MPa"
    assert format_value("volume_flow", 0.01) == "36.0 m³/h"
    assert format_value("temperature", math.nan) == "-- °C"


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "3 s"), (300, "5 min"), (7200, "2 h"), (3 * 86_400, "3 天"), (math.inf, "--")]
)
def test_ages(seconds: float, text: str) -> None:
    assert format_age(seconds) == text


def test_clock_is_the_countys() -> None:
    assert local_time(0.0, "Asia/Shanghai", "%H:%M") == "08:00"


def test_every_text_has_both_languages_and_the_same_places() -> None:
    for key, (zh, en) in TEXTS.items():
        assert zh.strip() and en.strip(), key
        assert set(re.findall(r"{\w+}", zh)) == set(re.findall(r"{\w+}", en)), key
    # units and the switch itself apart, Chinese texts are Chinese
    assert not [
        k
        for k, (zh, _) in TEXTS.items()
        if not CJK.search(zh) and k not in ("app.other_language", "unit.wm2")
    ]


def test_pages_hold_no_words_of_their_own() -> None:
    found = []
    for folder in ("pages", "web", "charts"):
        for file in (ROOT / "app" / folder).glob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            docs = {id(n.body[0].value) for n in ast.walk(tree)
                    if isinstance(n, (ast.Module, ast.FunctionDef, ast.ClassDef)) and n.body
                    and isinstance(n.body[0], ast.Expr)}  # fmt: skip
            found += [
                f"{file.name}: {n.value}"
                for n in ast.walk(tree)
                if isinstance(n, ast.Constant)
                and isinstance(n.value, str)
                and id(n) not in docs
                and CJK.search(n.value)
            ]
    assert found == []


def test_every_key_that_pages_use_exists() -> None:
    used = set()
    for file in (ROOT / "app").rglob("*.py"):
        used |= set(re.findall(r'translate\("([\w.]+)"', file.read_text(encoding="utf-8")))
    assert used and used <= set(TEXTS)
    assert translate("vital.of", "en", n=3) == "3 sensors"


def test_the_address_says_page_language_wall_and_selection() -> None:
    view = read_view("/heating/", "?lang=en&kiosk=1&sel=S03", "zh", {"S03"})
    assert (view.path, view.lang, view.kiosk, view.embed, view.selection) == (
        "/heating",
        "en",
        True,
        False,
        "S03",
    )
    strange = read_view("/embed/overview", "?lang=fr&sel=%3Cscript%3E&theme=light", "zh", {"S03"})
    assert (strange.path, strange.lang, strange.embed, strange.light, strange.selection) == (
        "/",
        "zh",
        True,
        True,
        "",
    )
    assert view.link("/") == "/?lang=en&kiosk=1"


def test_a_payload_is_shown_as_text_or_as_bytes() -> None:
    assert peek(b'{"a": 1}') == '{"a": 1}'
    assert peek(b"\xff\x00\x01") == "ff 00 01"
    assert len(peek(b"x" * 100_000)) <= 161
    assert "\n" not in peek(b"a\nb")


def test_no_line_is_drawn_where_nothing_was_measured() -> None:
    t, y = break_gaps(np.array([0.0, 60.0, 9000.0]), np.array([1.0, 2.0, 3.0]))
    assert t.tolist() == [0.0, 60.0, 61.0, 9000.0]
    assert np.isnan(y[2])


def test_measured_is_solid_simulated_dashed_and_axes_have_titles() -> None:
    t = np.array([0.0, 60.0])
    figure = draw_lines(
        [Line(t, t, "a", "#fff"), Line(t, t, "b", "#fff", dashed=True)], "T (°C)", "Asia/Shanghai", keep="k"
    )
    assert [d.line.dash for d in figure.data] == ["solid", "dash"]
    assert figure.layout.yaxis.title.text == "T (°C)" and figure.layout.uirevision == "k"
    assert str(local_stamps(t, "Asia/Shanghai")[0]).startswith("1970-01-01T08:00")
    empty = draw_lines([], "x", "Asia/Shanghai", keep="k", empty="nothing")
    assert empty.layout.annotations[0].text == "nothing"
