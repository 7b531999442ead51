"""Every visible word: one table, Chinese first."""

from app.i18n.access_texts import ACCESS_TEXTS
from app.i18n.complaint_texts import COMPLAINT_TEXTS
from app.i18n.document_texts import DOCUMENT_TEXTS
from app.i18n.texts import LANGUAGES, TEXTS, translate

__all__ = ["ACCESS_TEXTS", "COMPLAINT_TEXTS", "DOCUMENT_TEXTS", "LANGUAGES", "TEXTS", "translate"]
