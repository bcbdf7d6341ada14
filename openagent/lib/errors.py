"""The base of every anticipated error; each subclass lives in the module that raises it."""

from __future__ import annotations


class AppError(Exception):
    """Something went wrong in a way that we foresaw and that a user or a client can act upon.

    `code` is for machines and stable, `message` is for people and may change, `status` is the HTTP
    status that the edge answers with, and `fields` are further members of the answer. None of them
    may carry a key, a token or the text of a prompt.
    """

    def __init__(self, code: str, message: str, status: int = 400, **fields: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


class NotFound(AppError):
    """There is no such thing, or it belongs to a stranger: nobody may learn which of the two."""

    def __init__(self, message: str = "There is no such thing here.", code: str = "not_found") -> None:
        super().__init__(code, message, 404)
