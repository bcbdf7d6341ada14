"""Settings are read from the environment, and nonsense stops the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from openagent.lib import env
from openagent.lib.env import SettingError


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_SETTING", raising=False)
    monkeypatch.delenv("A_SETTING_FILE", raising=False)


def test_text_has_a_default_or_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.text("A_SETTING", "default") == "default"
    monkeypatch.setenv("A_SETTING", "  ")
    with pytest.raises(SettingError, match="A_SETTING is not set"):
        env.text("A_SETTING")
    monkeypatch.setenv("A_SETTING", " value ")
    assert env.text("A_SETTING", "default") == "value"


def test_words_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.words("A_SETTING", ("one",)) == ["one"]
    monkeypatch.setenv("A_SETTING", "a, b,,c ")
    assert env.words("A_SETTING") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("YES", True), ("on", True), ("0", False), ("False", False)]
)
def test_a_flag_is_one_of_few_words(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("A_SETTING", value)
    assert env.flag("A_SETTING", not expected) is expected


@pytest.mark.parametrize("value", ["2", "ja", "tru"])
def test_any_other_flag_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("A_SETTING", value)
    with pytest.raises(SettingError, match="A_SETTING must be one of"):
        env.flag("A_SETTING")


def test_a_number_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.number("A_SETTING", 7) == 7
    monkeypatch.setenv("A_SETTING", "70000")
    assert env.number("A_SETTING", 7) == 70000
    with pytest.raises(SettingError, match="from 0 to 65535"):
        env.number("A_SETTING", 7, maximum=65535)
    monkeypatch.setenv("A_SETTING", "-1")
    with pytest.raises(SettingError, match="from 0 to any"):
        env.number("A_SETTING", 7)
    monkeypatch.setenv("A_SETTING", "many")
    with pytest.raises(SettingError, match="whole number"):
        env.number("A_SETTING", 7)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("30", 30.0), ("1.5", 1.5), ("500ms", 0.5), ("15m", 900.0), ("2h", 7200.0), ("7d", 604800.0)],
)
def test_a_duration_may_have_a_unit(monkeypatch: pytest.MonkeyPatch, value: str, expected: float) -> None:
    monkeypatch.setenv("A_SETTING", value)
    assert env.seconds("A_SETTING", 1) == expected


@pytest.mark.parametrize("value", ["soon", "5w", "-1", "nan", "inf", "1e999", "m"])
def test_any_other_duration_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("A_SETTING", value)
    with pytest.raises(SettingError, match="A_SETTING must"):
        env.seconds("A_SETTING", 1)


def test_a_secret_comes_from_the_environment_a_named_file_or_the_default_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    default, named = tmp_path / "default", tmp_path / "named"
    default.write_text("from the default file\n")
    named.write_text("from the named file\n")
    assert env.secret("A_SETTING", default_file=default) == "from the default file"
    monkeypatch.setenv("A_SETTING_FILE", str(named))
    assert env.secret("A_SETTING", default_file=default) == "from the named file"
    monkeypatch.setenv("A_SETTING", "direct")
    with pytest.raises(SettingError, match="not both"):
        env.secret("A_SETTING")
    monkeypatch.delenv("A_SETTING_FILE")
    assert env.secret("A_SETTING", default_file=default) == "direct"


def test_a_missing_secret_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert env.secret("A_SETTING", required=False) == ""
    with pytest.raises(SettingError, match="`make up` makes it"):
        env.secret("A_SETTING", default_file=tmp_path / "absent")
    monkeypatch.setenv("A_SETTING_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingError, match="cannot read"):
        env.secret("A_SETTING", required=False)
    (tmp_path / "absent").write_text("\n")
    with pytest.raises(SettingError, match="is empty"):
        env.secret("A_SETTING")
