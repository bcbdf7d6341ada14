"""What a person can do on each screen, for the browser tests: the one place that knows how to find things."""

from __future__ import annotations

import re
from typing import Literal

from playwright.sync_api import Locator, Page, Request, expect

from tests.end_to_end.browser import PATIENCE_MS, Window
from tests.end_to_end.chosen_agent import AGENT
from tests.end_to_end.client import EMAIL, PASSWORD

_SESSION = re.compile(r"/sessions/([0-9a-f-]{36})")
_PARTS = "[data-part][data-part-type={kind}]"

Mode = Literal["Ask", "Accept edits", "Plan", "Auto"]


class Entrance:
    """Set-up and sign-in."""

    def __init__(self, window: Window) -> None:
        self.page = window.page
        # Asking who is here is answered with 401 until somebody is, and Chromium logs that.
        window.allow(401)

    def set_up(self, *, password: str = PASSWORD, name: str = "Olivia Owner") -> None:
        form = self.page.get_by_test_id("setup-form")
        form.get_by_label("E-mail").fill(EMAIL)
        form.get_by_label("Name").fill(name)
        form.get_by_label("Password").fill(password)
        form.get_by_role("button", name="Make the account").click()

    def sign_in(self, *, password: str = PASSWORD) -> None:
        form = self.page.get_by_test_id("sign-in-form")
        form.get_by_label("E-mail").fill(EMAIL)
        form.get_by_label("Password").fill(password)
        form.get_by_role("button", name="Sign in").click()

    def sign_out(self) -> None:
        self.page.get_by_test_id("user-menu").click()
        self.page.get_by_role("menuitem", name="Sign out").click()
        expect(self.page.get_by_test_id("sign-in-form")).to_be_visible()


class Account:
    """The page of one's own account."""

    def __init__(self, window: Window) -> None:
        window.open("/settings/account")
        self.page = window.page
        self.name = self.page.get_by_test_id("name-form")
        self.password = self.page.get_by_test_id("password-form")
        self.browsers = self.page.get_by_test_id("browsers")

    def change_name(self, name: str) -> None:
        self.name.get_by_label("Name").fill(name)
        self.name.get_by_role("button", name="Save the name").click()

    def change_password(self, present: str, new: str) -> None:
        self.password.get_by_label("Present password").fill(present)
        self.password.get_by_label("New password", exact=True).fill(new)
        self.password.get_by_label("New password again").fill(new)
        self.password.get_by_role("button", name="Change the password").click()


class NewSession:
    """The form that a new session begins with."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.form = window.page.get_by_test_id("new-session-form")

    def start(
        self, prompt: str, *, agent: str = AGENT, mode: Mode = "Ask", model: str = "Scripted demo"
    ) -> SessionScreen:
        """Fills in the form and sends it; an empty `model` leaves what was chosen."""
        page = self.window.page
        self.form.get_by_label("What should be done?").fill(prompt)
        agents = self.form.get_by_label("Agent", exact=True)
        # Whoever chooses an agent, be it the same, chooses the model anew.
        if agents.input_value() != agent:
            agents.select_option(value=agent)
        if model:
            self.choose_model(model)
        # An agent that asks for nothing has no modes to choose from, and works as in the first.
        choice = self.form.get_by_role("radio", name=re.compile(rf"^{mode}\b"))
        if mode != "Ask" or choice.count():
            choice.check()
        self.form.get_by_test_id("start-session").click()
        page.wait_for_url(_SESSION)
        return SessionScreen(self.window)

    def choose_model(self, model: str) -> None:
        self.form.get_by_label("Model", exact=True).select_option(label=model)

    def choose_other_model(self, choice: str, model: str) -> None:
        """One that the list does not have, by its id."""
        self.choose_model(choice)
        self.form.get_by_label("Model id at").fill(model)


class SessionScreen:
    """One session: its conversation, its composer and the panel beside them."""

    def __init__(self, window: Window, session: str = "") -> None:
        self.window = window
        self.page: Page = window.page
        if session:
            window.open(f"/sessions/{session}")
        self.composer = self.page.get_by_test_id("composer")
        self.connection = self.page.get_by_test_id("connection")
        self.queue = self.page.get_by_test_id("queue-item")
        self.status = self.page.get_by_test_id("session-status")
        self.waiting_bar = self.page.get_by_test_id("waiting-bar")

    @property
    def id(self) -> str:
        found = _SESSION.search(self.page.url)
        assert found, self.page.url
        return found[1]

    def send(self, text: str) -> Turn:
        """Types a prompt and sends it with Enter."""
        self.composer.fill(text)
        with self.page.expect_request(_is_prompt) as sent:
            self.composer.press("Enter")
        return self.turn(_body(sent.value)["id"])

    def turn(self, turn: str) -> Turn:
        return Turn(self.page, self.page.locator(f'[data-turn="{turn}"]'), turn)

    def last_turn(self) -> Turn:
        """The newest turn, once there is one: its box may have to start."""
        newest = self.page.locator("[data-turn]").last
        expect(newest).to_be_attached(timeout=2 * PATIENCE_MS)
        return self.turn(newest.get_attribute("data-turn") or "")

    def expect_status(self, status: str) -> None:
        expect(self.status).to_have_attribute("data-status", status)

    def expect_connection(self, state: str) -> None:
        expect(self.connection).to_have_attribute("data-state", state)

    def choose(self, action: str) -> None:
        """An action of the session's menu."""
        bar = self.page.get_by_test_id("session-bar")
        bar.get_by_role("button", name="Actions for").click()
        self.page.get_by_role("menuitem", name=action).click()

    def asked_about(self, host: str) -> Card:
        """The card that asks whether the box may reach this host; it stands after the last turn."""
        cards = self.page.get_by_test_id("transcript").locator(
            "[data-testid=permission-card][data-state=pending]"
        )
        card = cards.filter(has_text=host)
        expect(card).to_have_count(1)
        return Card(self.page, card.get_attribute("data-permission") or "")

    def choose_mode(self, mode: Mode) -> None:
        """Another permission mode: a prompt that is sent now could overtake the choice."""
        select = self.page.get_by_test_id("mode-select")
        select.select_option(label=mode)
        # It shows what the platform says.
        expect(select.locator("option:checked")).to_have_text(mode)

    def open_files(self) -> Locator:
        """The panel beside the conversation, with the files of the workspace."""
        self.page.get_by_test_id("tab-files").click()
        return self.page.get_by_test_id("session-panel")

    def file(self, name: str) -> Locator:
        return self.page.locator(f'[data-testid=file-entry][data-name="{name}"]').get_by_role("button")


class Turn:
    """One turn as it is shown."""

    def __init__(self, page: Page, article: Locator, turn: str) -> None:
        self.page = page
        self.id = turn
        self.article = article
        self.errors = article.get_by_test_id("error-card")
        self.footer = article.get_by_test_id("turn-end")
        self.prompt = article.get_by_test_id("prompt-text").first
        self.tools = article.get_by_test_id("tool-card")
        self.working = article.get_by_test_id("working")

    def wait(self) -> Turn:
        """Until it has ended."""
        expect(self.article).to_have_attribute("data-turn-status", "ended")
        return self

    @property
    def stop_reason(self) -> str:
        return self.article.get_attribute("data-stop-reason") or ""

    def parts(self, kind: Literal["message", "thought"] = "message") -> list[str]:
        """The exact texts that are shown, markdown signs and all."""
        found: list[str] = self.article.locator(_PARTS.format(kind=kind)).evaluate_all(
            "parts => parts.map(part => part.partText)"
        )
        return found

    def text(self) -> str:
        return "".join(self.parts())

    def words(self) -> list[str]:
        """What the eye can read of the messages, word by word."""
        shown = self.article.locator(_PARTS.format(kind="message")).all_inner_texts()
        return " ".join(shown).split()

    def expect_text(self, text: str) -> None:
        """Until the eye can read this in it."""
        expect(self.article).to_contain_text(text)

    def tool(self, kind: str) -> Locator:
        return self.article.locator(f"[data-testid=tool-card][data-kind={kind}]")

    def asked(self) -> Card:
        """The card that waits for an answer, once there is one."""
        waiting = self.article.locator("[data-testid=permission-card][data-state=pending]")
        expect(waiting).to_have_count(1)
        return Card(self.page, waiting.get_attribute("data-permission") or "")

    def cards(self) -> Locator:
        """Every permission card of the turn, answered or not."""
        return self.article.get_by_test_id("permission-card")


class Card:
    """One permission or question."""

    def __init__(self, page: Page, permission: str) -> None:
        self.id = permission
        cards = page.locator(f'[data-testid=permission-card][data-permission="{permission}"]')
        self.box = cards.first
        self._pending = cards.and_(page.locator("[data-state=pending]"))
        self.exact = self.box.get_by_test_id("permission-exact")
        self.outcome = self.box.get_by_test_id("permission-outcome")

    def allow(self, how: Literal["once", "session"] = "once") -> None:
        self.box.get_by_test_id(f"permission-{how}").click()
        self._expect_no_longer_pending()

    def reject(self, message: str = "") -> None:
        self.box.get_by_test_id("permission-reject").click()
        self.box.get_by_test_id("permission-message").fill(message)
        self.box.get_by_test_id("permission-reject-confirm").click()
        self._expect_no_longer_pending()

    def _expect_no_longer_pending(self) -> None:
        expect(self._pending).to_have_count(0)

    def expect_outcome(self, words: str) -> None:
        expect(self.outcome).to_have_text(words)


class Keys:
    """The page of provider keys."""

    def __init__(self, window: Window) -> None:
        window.open("/settings/keys")
        self.page = window.page
        self.form = self.page.get_by_test_id("key-form")

    def row(self, words: str) -> Locator:
        return self.page.get_by_test_id("key-row").filter(has_text=words)

    def open_form(self, *, provider: str) -> None:
        self.page.get_by_role("button", name="Add key").click()
        self.form.get_by_label("Provider").select_option(label=provider)

    def add(self, *, provider: str, key: str, label: str = "") -> None:
        self.open_form(provider=provider)
        self.form.get_by_label("Key", exact=True).fill(key)
        self.form.get_by_label("Label").fill(label)
        self.save()

    def replace(self, row: Locator, key: str) -> None:
        row.get_by_role("button", name="Replace").click()
        self.form.get_by_label("Key", exact=True).fill(key)
        self.save()

    def delete(self, row: Locator) -> None:
        row.get_by_role("button", name="Delete").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Delete key").click()

    def save(self) -> None:
        self.form.get_by_role("button", name="Save").click()


def _is_prompt(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/prompts/")


def _body(request: Request) -> dict[str, str]:
    return dict(request.post_data_json or {})
