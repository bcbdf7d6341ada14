"""Provider keys as a person handles them: added, refused for their shape, hinted at, replaced, deleted."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.client import Client
from tests.end_to_end.rig import KEY, Provider
from tests.end_to_end.screens import Keys

FIRST = "xai-" + "first" * 8 + "Kq7w"
SECOND = "xai-" + "second" * 7 + "Zt3p"


def test_a_key_is_added_replaced_and_deleted_and_never_shown(open_window: OpenWindow, owner: Client) -> None:
    window = open_window()
    keys = Keys(window)
    keys.add(provider="xAI", key=FIRST, label="for work")
    row = keys.row("for work")
    expect(row).to_contain_text("xAI")
    expect(row).to_contain_text("…Kq7w")
    expect(keys.form).not_to_be_attached()
    window.shot("key")
    window.page.reload()
    expect(row).to_contain_text("…Kq7w")

    keys.replace(row, SECOND)
    expect(row).to_contain_text("…Zt3p")
    expect(row).not_to_contain_text("Kq7w")
    _check_nowhere(window.page.content() + str(owner.get("/keys/")), FIRST, SECOND)

    row.get_by_role("button", name="Share").click()
    window.page.get_by_label("Everyone").check()
    window.shot("key-shared")
    window.page.get_by_test_id("sharing-form").get_by_role("button", name="Save").click()
    expect(row).to_contain_text("shared with everyone")
    row.get_by_role("button", name="Uses").click()
    rows = window.page.get_by_test_id("key-uses").get_by_role("listitem")
    expect(rows).to_have_text([re.compile(words) for words in ("Shared with everyone", "Replaced", "Added")])
    window.shot("key-uses")
    window.page.keyboard.press("Escape")

    keys.delete(row)
    expect(row).not_to_be_attached()
    assert "for work" not in str(owner.get("/keys/"))


def test_a_key_of_the_wrong_shape_is_refused_with_what_one_looks_like(
    open_window: OpenWindow, owner: Client
) -> None:
    window = open_window()
    window.allow(400)
    keys = Keys(window)
    before = owner.get("/keys/")
    field = keys.form.get_by_label("Key", exact=True)
    for pasted, advice in (
        ("sk-ant-of-another-provider-0123456789", "This looks like a key for Anthropic, not for xAI."),
        ("not-a-key-of-anybody-0123456789", "A key for xAI looks like xai-…"),
        ("XAI_API_KEY=xai-0123456789abcdef", "Paste only what follows the equals sign."),
        ("xai-01234 56789abcdef", "A key is one word without blanks"),
    ):
        if not keys.form.is_visible():
            keys.add(provider="xAI", key=pasted)
        field.fill(pasted)
        keys.save()
        expect(keys.form).to_contain_text(advice)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(advice)))
        expect(keys.form).to_contain_text("Looks like xai-…")
        expect(keys.form.get_by_role("link", name="Make one at")).to_be_visible()
    window.shot("key-refused")
    assert owner.get("/keys/") == before


def test_a_key_for_an_endpoint_of_one_s_own_says_where_it_is(open_window: OpenWindow) -> None:
    window = open_window()
    window.allow(400)
    keys = Keys(window)
    keys.open_form(provider="OpenAI-compatible endpoint")
    keys.form.get_by_label("Key", exact=True).fill("word-of-my-own-0123456789")
    address = keys.form.get_by_label("Base URL")
    address.fill("https://127.1/v1")
    keys.save()
    expect(keys.form).to_contain_text("This host leads into a private network.")
    address.fill("https://models.example.com/v1/")
    window.shot("key-address")
    keys.save()
    row = keys.row("at https://models.example.com/v1")
    expect(row).to_be_visible()
    keys.delete(row)
    expect(row).not_to_be_attached()


def test_a_key_is_tested_at_the_provider(open_window: OpenWindow, provider: Provider) -> None:
    window = open_window()
    keys = Keys(window)
    keys.add(provider="Groq", key=KEY, label="good")
    keys.row("good").get_by_role("button", name="Test").click()
    expect(keys.row("good")).to_contain_text("Accepted")
    keys.add(provider="Groq", key="gsk_" + "wrong" * 10, label="bad")
    keys.row("bad").get_by_role("button", name="Test").click()
    expect(keys.row("bad")).to_contain_text("Refused by the provider")
    keys.delete(keys.row("bad"))
    keys.delete(keys.row("good"))
    expect(keys.row("good")).not_to_be_attached()


def _check_nowhere(text: str, *keys: str) -> None:
    for key in keys:
        assert key not in text
        assert key[4:20] not in text
