"""Addresses, rooms and telephone numbers as people write them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from app.i18n.spoken import HOME, HOME_END, HOME_PART
from twin.model.county import Building

MOST_FOUND = 8
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
_IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


def plain(text: str) -> str:
    """One way to write: full-width letters and figures, capitals and spaces make no difference."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).lower())


def home_key(home: str) -> str:
    """A room as the parts of its number: 2单元301室, 2-301 and ２－３０１ are the same; empty stays empty."""
    return HOME_END.sub("", HOME_PART.sub("-", plain(home))).strip("-")


def split_home(words: str) -> tuple[str, str]:
    """A building's words, and the room that stands behind them (or nothing)."""
    text = unicodedata.normalize("NFKC", words).strip()
    found = HOME.search(text)
    if found is None or found.start() == 0:
        return text, ""
    return text[: found.start()].strip(" ,，"), found["home"].strip()


def mask_phone(phone: str) -> str:
    """A telephone number of which nobody can call: its first three and last two figures."""
    figures = re.sub(r"\D", "", phone)
    return f"{figures[:3]}****{figures[-2:]}" if len(figures) >= 7 else "****" if figures else ""


def hide_numbers(text: str) -> str:
    """A text with telephone and identity numbers masked: what a case says goes into lists and reports."""
    text = unicodedata.normalize("NFKC", text)
    text = _IDENTITY.sub(lambda m: f"{m[0][:3]}****{m[0][-1]}", text)
    return _PHONE.sub(lambda m: mask_phone(m[0]), text)


@dataclass(frozen=True, slots=True)
class Found:
    """A building that fits words, and the room that stood behind them."""

    building: Building
    home: str


def find_buildings(buildings: Sequence[Building], words: str, most: int = MOST_FOUND) -> list[Found]:
    """Buildings whose name, address or id holds the words: the closest first, as in the scene."""
    whole, (short, home) = words.strip(), split_home(words)
    for text, room in ((whole, ""), (short, home)):
        ranked = [(r, len(b.name) + len(b.address), b.id, b) for b in buildings if (r := _rank(b, text)) >= 0]
        if ranked:
            return [Found(b, room) for *_, b in sorted(ranked, key=lambda x: x[:3])[:most]]
        if not home:
            break
    return []


def _rank(b: Building, words: str) -> int:
    """How well a building holds the words: 0 best, -1 not at all."""
    wanted = plain(words)
    if not wanted:
        return -1
    keys = [plain(k) for k in (b.name, b.address, b.id) if k]
    if any(k == wanted for k in keys):
        return 0
    if any(k.startswith(wanted) for k in keys):
        return 1
    if any(wanted in k for k in keys):
        return 2
    parts = re.findall(r"\d+|[^\d\s]+", unicodedata.normalize("NFKC", words).lower())
    return 3 if len(parts) > 1 and all(any(p in k for k in keys) for p in parts) else -1


def place_address(buildings: Sequence[Building], text: str) -> tuple[list[Building], str]:
    """Buildings that a postal text names (the longest name or address found in it; several: it is not clear
    which), and the room behind."""
    short, home = split_home(text)
    asked = plain(short)
    best, size = [], 0
    for b in buildings:
        for key in {plain(b.name), plain(b.address)} - {""}:
            at = asked.find(key)
            # 1号楼 is no part of 11号楼, 3号 none of 13号
            if at < 0 or (key[0].isdigit() and at > 0 and asked[at - 1].isdigit()):
                continue
            if len(key) > size:
                best, size = [b], len(key)
            elif len(key) == size and b not in best:
                best.append(b)
    if not best:
        best = [b for b in buildings if b.id.lower() == asked]
    return best, home
