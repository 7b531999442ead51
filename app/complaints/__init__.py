"""The complaints desk (用户诉求) as the pages see it: what it can ask and do, and its routes."""

from app.complaints.routes import register_complaints
from app.complaints.service import Complaints, judge_of

__all__ = ["Complaints", "judge_of", "register_complaints"]
