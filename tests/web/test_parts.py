"""Addresses of the pages, payloads shown, lines drawn."""

import numpy as np

from app.charts.lines import Line, break_gaps, draw_lines, local_stamps
from app.pages.data_quality import peek
from app.web.shell import read_view


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
