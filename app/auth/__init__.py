"""Who may see what: accounts, sign-in, sessions, signed links, and the gate in front of every page.

``protect(app, settings)`` is all the dashboard calls; ``current_account(scope)`` tells who asks.
"""

from app.auth.accounts import ROLES, Account, AccountFile, Role
from app.auth.gate import current_account, may, protect

__all__ = ["ROLES", "Account", "AccountFile", "Role", "current_account", "may", "protect"]
