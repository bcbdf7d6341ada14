"""Reads typed settings from the environment, and is the only module of the platform that does.

Every reader fails loudly on a value that it cannot understand: a typing error in a deployment must stop
the program, never change what it does.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class SettingError(Exception):
    """A setting is missing or cannot be understood; the message names it and says what to do."""


def text(name: str, default: str | None = None) -> str:
    """The value of `name`; without a default its absence is an error. An empty value counts as absent."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise SettingError(f"{name} is not set.")
    return default


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list."""
    value = text(name, "")
    return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "").lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise SettingError(f"{name} must be one of 1, 0, true, false, yes, no, on, off.")


def number(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    value = text(name, "")
    if not value:
        return default
    try:
        parsed = int(value)
    except ValueError:
        raise SettingError(f"{name} must be a whole number.") from None
    if parsed < minimum or (maximum is not None and parsed > maximum):
        raise SettingError(f"{name} must be from {minimum} to {'any' if maximum is None else maximum}.")
    return parsed


def seconds(name: str, default: float) -> float:
    """A duration: plain seconds, or a number with a unit (500ms, 30s, 15m, 2h, 7d)."""
    value = text(name, "").lower()
    if not value:
        return default
    digits = value.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = value[len(digits) :] or "s"
    try:
        parsed = float(digits) * _UNITS[unit]
    except (ValueError, KeyError):
        raise SettingError(f"{name} must be a duration such as 30, 30s, 15m, 2h or 7d.") from None
    if parsed < 0 or not math.isfinite(parsed):
        raise SettingError(f"{name} must not be negative or endless.")
    return parsed


def table(name: str) -> dict[str, str]:
    """A JSON object of texts; empty when it is not set."""
    value = text(name, "{}")
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict) or not all(isinstance(item, str) for item in parsed.values()):
        raise SettingError(f'{name} must be a JSON object of texts, such as {{"name": "value"}}.')
    return parsed


def numbers(name: str, default: str) -> dict[str, int]:
    """Numbers by name, such as `small=2,large=1`; `none` for an empty one."""
    value = text(name, default)
    pairs = [entry.partition("=") for entry in value.replace(" ", "").split(",")]
    if value == "none":
        return {}
    if not all(key and number.isdecimal() and len(number) < 5 for key, _, number in pairs):
        raise SettingError(f"{name} must name numbers, such as name=1,other=2, or be none.")
    return {key: int(number) for key, _, number in pairs}


def path(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().absolute()


def secret(name: str, *, default_file: Path | None = None, required: bool = True) -> str:
    """A secret from `name`, else from the file that `name`_FILE names, else from `default_file`.

    No default value can be given: a secret that everybody knows is none. With `required` off the
    answer for a missing one is the empty string.
    """
    direct = os.environ.get(name, "").strip()
    named = os.environ.get(f"{name}_FILE", "").strip()
    if direct and named:
        raise SettingError(f"Set {name} or {name}_FILE, not both.")
    if direct:
        return direct
    if named:
        return _content(Path(named), f"{name}_FILE")
    if default_file is not None and default_file.exists():
        return _content(default_file, name)
    if required:
        hint = f", and {default_file} does not exist; `make up` makes it" if default_file else ""
        raise SettingError(f"{name} is not set{hint}.")
    return ""


def _content(file: Path, name: str) -> str:
    try:
        value = file.read_text().strip()
    except OSError as error:
        raise SettingError(f"{name}: cannot read {file}: {error.strerror}.") from None
    if not value:
        raise SettingError(f"{name}: {file} is empty.")
    return value


def inherited() -> dict[str, str]:
    """A copy of the whole environment, for a program that we start."""
    return dict(os.environ)
