"""The admin's forms for users: signing in and making an account."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AdminUserCreationForm

from openagent.accounts.models import User


class SignInForm(AdminAuthenticationForm):
    """Counts failed attempts together with those of the product's own sign-in: one limit for both doors."""

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            user = get_adapter().authenticate(self.request, email=email, password=password)
            if user is None:
                raise self.get_invalid_login_error()
            self.user_cache = user
            self.confirm_login_allowed(user)
        return self.cleaned_data


class NewUserForm(AdminUserCreationForm[User]):
    """An e-mail address instead of a user name."""

    class Meta:
        model = User
        fields = ("email", "display_name")

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("There is a user with this e-mail address.", "unique")
        return email
