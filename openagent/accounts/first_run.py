"""The first set-up: makes the first account, once, for whoever gets there first and knows the code."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from openagent.accounts.models import FirstRun, User
from openagent.lib.errors import AppError


class AlreadySetUp(AppError):
    """There is an account already, or somebody made one a moment ago."""

    def __init__(self) -> None:
        super().__init__("already_set_up", "This installation is set up. Sign in instead.", 409)


class WrongCode(AppError):
    """The set-up code is missing or wrong."""

    def __init__(self) -> None:
        super().__init__(
            "wrong_setup_code", "This is not the code that was printed in the terminal at the start.", 403
        )


class WeakPassword(AppError):
    """The password does not pass the validators; `errors` says why, in the shape of field errors."""

    def __init__(self, error: ValidationError) -> None:
        errors = [
            {"message": " ".join(item.messages), "code": item.code or "invalid"} for item in error.error_list
        ]
        super().__init__("invalid", "Choose another password.", 400, errors={"password": errors})


def is_needed() -> bool:
    return not User.objects.exists()


def is_code_required() -> bool:
    return bool(settings.OPENAGENT_SETUP_CODE)


def complete(*, email: str, password: str, name: str = "", code: str = "") -> User:
    """The first account, which may use the admin. Of two at once one wins: AlreadySetUp for the other."""
    _check_code(code)
    if not is_needed():
        raise AlreadySetUp()
    try:
        validate_password(password, User(email=email, display_name=name))
    except ValidationError as error:
        raise WeakPassword(error) from None
    try:
        return _create(email=email, password=password, name=name)
    except IntegrityError:
        raise AlreadySetUp() from None


@transaction.atomic
def _create(*, email: str, password: str, name: str) -> User:
    user = User.objects.create_superuser(email, password, display_name=name)
    # The table has room for one row: this line fails in all transactions but the first.
    FirstRun.objects.create(user=user)
    return user


def _check_code(code: str) -> None:
    expected: str = settings.OPENAGENT_SETUP_CODE
    if expected and not secrets.compare_digest(code.encode(), expected.encode()):
        raise WrongCode()
