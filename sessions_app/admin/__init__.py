"""The admin pages of sessions, which Django looks for here."""

from sessions_app.admin import hosts, rows

__all__ = ["hosts", "rows"]
