"""What the admin pages of all apps share."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

M = TypeVar("M", bound=models.Model)


class ReadOnlyAdmin(admin.ModelAdmin[M]):
    """Rows to look at: nothing can be added, changed or deleted by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Rows go together with what they belong to, so it is only their own pages that refuse.
        own_pages = f"{self.opts.app_label}_{self.opts.model_name}_"
        page = request.resolver_match.url_name if request.resolver_match else ""
        return super().has_delete_permission(request, obj) and not (page or "").startswith(own_pages)
