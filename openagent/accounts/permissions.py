"""What an access token may do, by its scopes. Somebody who signed in with a password may do everything."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from openagent.accounts.models import AccessToken, Scope


class HasScope(BasePermission):
    """Looking needs `read`; anything else needs the view's `write_scope`, by default `write`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, AccessToken):
            return True
        looks = request.method in SAFE_METHODS
        needed = Scope.READ if looks else Scope(getattr(view, "write_scope", Scope.WRITE))
        if needed not in request.auth.scopes:
            raise PermissionDenied(f"This token lacks the scope {needed.value}.", "scope_missing")
        return True
