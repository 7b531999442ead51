"""Every visible word: one table, Chinese first."""

from app.i18n.texts import LANGUAGES, TEXTS, translate

__all__ = ["LANGUAGES", "TEXTS", "translate"]
