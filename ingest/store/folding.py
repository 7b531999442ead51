"""Texts in the form they are searched in."""

import unicodedata


def fold_text(text: str) -> str:
    """Full-width letters and the like as plain ones, small letters, one space wherever there were some."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
