"""User complaints (用户诉求): cases and their clocks, what they have in common, what they say of a period."""

from app.domains.heating.complaints.book import ComplaintBook
from app.domains.heating.complaints.case import Case, Clock, Step, read_clock
from app.domains.heating.complaints.figures import COMPLAINT_FIGURES, judge_complaints
from app.domains.heating.complaints.refusal import ComplaintRefused
from app.domains.heating.complaints.rules import Rules, read_rules

__all__ = [
    "COMPLAINT_FIGURES", "Case", "Clock", "ComplaintBook", "ComplaintRefused", "Rules", "Step",
    "judge_complaints", "read_clock", "read_rules",
]  # fmt: skip
