"""Papers that a county head signs: A4, Chinese embedded, tables, charts as vectors, page numbers.

Made with fpdf2 (LGPL-3.0). The font is one of the machine's (Noto Sans CJK of Debian by default) and a subset
of it is embedded, so that the text looks the same everywhere and can be searched.
"""

import logging
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fpdf import FPDF, Align
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace
from numpy.typing import NDArray

from twin.model.errors import InputError

Floats = NDArray[np.float64]
Colour = tuple[int, int, int]
Curve = tuple[str, Floats, Floats, Colour]

FONT_PLACES = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-{}.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-{}.ttc", 2),
    ("/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-{}.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", 0),
    ("C:/Windows/Fonts/msyh.ttc", 0),
)
"""Where fonts with Chinese lie, and which of a collection is the simplified one."""
INK: Colour = (28, 38, 50)
QUIET: Colour = (96, 110, 126)
LINE: Colour = (196, 205, 215)
HEAD: Colour = (232, 238, 244)
BLUE: Colour = (0, 102, 170)
WARM: Colour = (200, 96, 20)
TEAL: Colour = (30, 130, 110)
MARGIN_MM = 18.0


@cache
def find_fonts() -> tuple[tuple[str, int], tuple[str, int]]:
    """Files and places in their collection of the regular and the bold face.

    Raises
    ------
    InputError : this machine has no font with Chinese; says which package to install
    """
    for pattern, number in FONT_PLACES:
        regular, bold = pattern.format("Regular"), pattern.format("Bold")
        if Path(regular).is_file():
            return (regular, number), (bold if Path(bold).is_file() else regular, number)
    raise InputError("no font with Chinese on this machine: install fonts-noto-cjk (Debian) and try again")


class Paper(FPDF):
    """A4 upright. ``title`` stands in the header, ``place`` names who issues it, ``page_words`` is the footer
    with ``{n}`` of ``{all}``."""

    def __init__(self, title: str, place: str, page_words: str, made: str) -> None:
        super().__init__(format="A4")
        logging.getLogger("fontTools").setLevel(logging.WARNING)  # else it tells of every table it cuts
        self.words = (title, place, page_words, made)
        (regular, a), (bold, b) = find_fonts()
        self.add_font("cjk", "", regular, collection_font_number=a)
        self.add_font("cjk", "B", bold, collection_font_number=b)
        self.set_margins(MARGIN_MM, 22.0, MARGIN_MM)
        self.set_auto_page_break(True, 20.0)
        self.set_title(title)
        self.set_author(place)
        self.alias_nb_pages("{all}")
        self.set_text_color(*INK)

    def header(self) -> None:
        """Issuer on the left, title on the right, from the second page on."""
        if self.page_no() == 1:
            return
        self.set_y(11.0)
        self.set_font("cjk", size=8.5)
        self.set_text_color(*QUIET)
        self.cell(0, 5, self.words[1])
        self.set_y(11.0)
        self.cell(0, 5, self.words[0], align=Align.R)
        self.set_draw_color(*LINE)
        self.line(MARGIN_MM, 17.0, self.w - MARGIN_MM, 17.0)
        self.set_text_color(*INK)
        self.set_y(22.0)

    def footer(self) -> None:
        """When it was made, and the page."""
        self.set_y(-14.0)
        self.set_font("cjk", size=8.5)
        self.set_text_color(*QUIET)
        self.cell(0, 5, self.words[3])
        self.set_x(MARGIN_MM)
        self.cell(0, 5, self.words[2].replace("{n}", str(self.page_no())), align=Align.R)
        self.set_text_color(*INK)

    def begin(self, lines: Sequence[str]) -> None:
        """The head of the first page: issuer, title, and what it is about."""
        self.add_page()
        self.set_font("cjk", size=10)
        self.set_text_color(*QUIET)
        self.cell(0, 6, self.words[1], new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(*INK)
        self.set_font("cjk", "B", 19)
        self.multi_cell(0, 10, self.words[0], new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font("cjk", size=10)
        for line in lines:
            self.multi_cell(0, 5.6, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_draw_color(*INK)
        self.set_line_width(0.5)
        self.line(MARGIN_MM, self.get_y() + 2, self.w - MARGIN_MM, self.get_y() + 2)
        self.set_line_width(0.2)
        self.ln(6)

    def heading(self, text: str) -> None:
        """A section's heading; never alone at the foot of a page."""
        if self.get_y() > self.h - 50:
            self.add_page()
        self.ln(2)
        self.set_font("cjk", "B", 12)
        self.cell(0, 8, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font("cjk", size=9.5)

    def say(self, text: str) -> None:
        """A paragraph."""
        self.set_font("cjk", size=9.5)
        self.multi_cell(0, 5.4, text, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def grid(self, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float],
             left: Sequence[int] = (0,)) -> None:  # fmt: skip
        """A table; columns of ``left`` are set left, the others right. Its head repeats on every page."""
        self.set_font("cjk", size=8.5)
        self.set_draw_color(*LINE)
        align = tuple("LEFT" if k in left else "RIGHT" for k in range(len(heads)))
        with self.table(
            col_widths=tuple(widths), text_align=align, borders_layout="HORIZONTAL_LINES", line_height=5.2,
            headings_style=FontFace(emphasis="BOLD", fill_color=HEAD), padding=(0.6, 1.2),
        ) as table:  # fmt: skip
            for cells in (heads, *rows):
                row = table.row()
                for c in cells:
                    row.cell(c)
        self.ln(3)

    def sign_lines(self, words: Sequence[str]) -> None:
        """Lines to sign on."""
        if self.get_y() > self.h - 45:
            self.add_page()
        self.ln(10)
        self.set_font("cjk", size=10)
        wide = (self.w - 2 * MARGIN_MM) / len(words)
        y = self.get_y()
        for k, word in enumerate(words):
            x = MARGIN_MM + k * wide
            self.text(x, y, word)
            self.line(x + self.get_string_width(word) + 2, y + 0.8, x + wide - 6, y + 0.8)
        self.ln(6)

    def chart(
        self, series: Sequence[Curve], unit: str, marks: Sequence[tuple[float, str]], height_mm: float = 48.0
    ) -> None:
        """Lines over a common axis: (name, x, y, colour) each; ``marks``: (x, text) below the axis."""
        series = [s for s in series if np.isfinite(s[2]).any()]
        if not series:
            return
        if self.get_y() + height_mm > self.h - 24:
            self.add_page()
        known = [(x[np.isfinite(y)], y[np.isfinite(y)]) for _, x, y, _ in series]
        every = np.concatenate([y for _, y in known])
        top, left = self.get_y() + 7.0, MARGIN_MM + 13.0
        wide, high = self.w - MARGIN_MM - left, height_mm - 16.0
        self._legend(series, unit, left)
        low, most, step = _ticks(float(every.min()), float(every.max()))
        x0, x1 = min(float(x[0]) for x, _ in known), max(float(x[-1]) for x, _ in known)
        self.set_font("cjk", size=7.5)
        for k in range(round((most - low) / step) + 1):
            level = top + high * (1.0 - k * step / (most - low))
            self.set_draw_color(*LINE)
            self.line(left, level, left + wide, level)
            text = f"{low + k * step:g}"
            self.text(left - 2 - self.get_string_width(text), level + 1, text)
        for at, text in marks:
            spot = left + wide * (at - x0) / max(x1 - x0, 1e-9)
            if left - 1 <= spot <= left + wide + 1:
                self.text(
                    min(spot, left + wide - 8) - self.get_string_width(text) / 2, top + high + 4.5, text
                )
        for (_, _, _, colour), (x, y) in zip(series, known, strict=True):
            self._curve(
                left + wide * (x - x0) / max(x1 - x0, 1e-9), top + high * (most - y) / (most - low), colour
            )
        self.set_draw_color(*LINE)
        self.set_y(top + high + 9.0)

    def _legend(self, series: Sequence[Curve], unit: str, left: float) -> None:
        self.set_font("cjk", size=8)
        x, y = left, self.get_y() + 3.0
        for name, _, _, colour in series:
            self.set_draw_color(*colour)
            self.set_line_width(0.7)
            self.line(x, y - 1, x + 6, y - 1)
            self.text(x + 7.5, y, name)
            x += 12.0 + self.get_string_width(name)
        self.set_line_width(0.2)
        self.text(MARGIN_MM, y, unit)

    def _curve(self, x: Floats, y: Floats, colour: Colour) -> None:
        self.set_draw_color(*colour)
        self.set_line_width(0.45)
        points = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        if len(points) > 1:
            self.polyline(points)
        self.set_line_width(0.2)

    def finish(self) -> bytes:
        """The file."""
        made: Any = self.output()
        return bytes(made)


def _ticks(low: float, high: float) -> tuple[float, float, float]:
    """Round ends and step of an axis with some five lines."""
    span = max(high - low, 1e-6 + 1e-3 * abs(high))
    step = 10.0 ** math.floor(math.log10(span / 4.0))
    step *= next(k for k in (1.0, 2.0, 5.0, 10.0) if span / (k * step) <= 5.0)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step
