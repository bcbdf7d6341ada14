"""The cookie of a login, which no mere reading takes away.

A login gets another key when its owner changes the password. What their page was asking at that moment comes
with the key of before and may be answered last; Django would have the browser forget the new one at that.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class LoginCookieMiddleware(SessionMiddleware):
    """Django's, but a cookie that signs nobody in stays until something is changed with it."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer = super().process_response(request, response)
        cookie = answer.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and not cookie.value and request.method in _READING:
            del answer.cookies[settings.SESSION_COOKIE_NAME]
        return answer
