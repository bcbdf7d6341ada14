"""Keys: opened once, for the right session and nonce only, and forgotten in time."""

from __future__ import annotations

import asyncio

import pytest

from sidecar import log
from sidecar.credentials import Credentials
from sidecar.gate.models import KeyUnavailable
from sidecar.protocol import frames, sealing

SESSION = "7f1b7a52-3d0c-4f0e-9a55-0d6f6b1f0c03"


class Platform:
    """Seals keys as the platform does."""

    def __init__(self, *, idle_seconds: float = 60.0) -> None:
        self.asked: list[frames.KeyRequest] = []
        self.credentials = Credentials(self.asked.append, forget_seconds=0.02, idle_seconds=idle_seconds)
        self.credentials.claim(session=SESSION, gen=3)

    def seal(
        self,
        request: frames.KeyRequest,
        key: str = "the-key",
        *,
        session: str = SESSION,
        gen: int = 3,
        base_url: str = "",
    ) -> frames.Key:
        info = sealing.info(
            session=session,
            generation=gen,
            base_url=base_url,
            provider=request.provider,
            nonce=sealing.from_text(request.nonce),
        )
        sealed = sealing.seal(sealing.from_text(self.credentials.public_key), key.encode(), info)
        return frames.Key(provider=request.provider, nonce=request.nonce, sealed=sealing.to_text(sealed))

    async def ask(self, provider: str = "anthropic") -> asyncio.Task[str]:
        task = asyncio.create_task(self.credentials.key(provider))
        await asyncio.sleep(0)
        return task


async def test_a_key_is_asked_for_once_and_then_kept() -> None:
    platform = Platform()
    first, second = await platform.ask(), await platform.ask()
    (request,) = platform.asked
    platform.credentials.receive(platform.seal(request))
    assert await first == await second == await platform.credentials.key("anthropic") == "the-key"
    assert len(platform.asked) == 1
    assert log.redact("it is the-key") == "it is [redacted]"


async def test_a_nonce_opens_once() -> None:
    platform = Platform()
    task = await platform.ask()
    answer = platform.seal(platform.asked[0])
    platform.credentials.receive(answer)
    await task
    platform.credentials.drop("anthropic")
    again = await platform.ask()
    platform.credentials.receive(answer)
    await asyncio.sleep(0)
    assert not again.done()
    platform.credentials.receive(platform.seal(platform.asked[1], "another-key"))
    assert await again == "another-key"


async def test_a_key_that_was_sealed_before_its_revocation_is_refused_when_it_comes_after() -> None:
    platform = Platform()
    task = await platform.ask()
    platform.credentials.drop("anthropic")
    platform.credentials.receive(platform.seal(platform.asked[0], "revoked"))
    await asyncio.sleep(0)
    assert not task.done()
    platform.credentials.receive(platform.seal(platform.asked[1], "another-key"))
    assert await task == "another-key"


async def test_dropping_a_key_that_nobody_waits_for_asks_for_none_and_spares_other_providers() -> None:
    platform = Platform()
    hello = platform.credentials.hello_nonce()
    other = await platform.ask("openai")
    platform.credentials.drop("anthropic")
    (request,) = platform.asked
    platform.credentials.receive(platform.seal(frames.KeyRequest(provider="anthropic", nonce=hello)))
    platform.credentials.receive(platform.seal(request))
    assert await other == "the-key"
    again = await platform.ask("anthropic")
    assert len(platform.asked) == 2
    again.cancel()


@pytest.mark.parametrize(
    "change",
    [
        {"session": "7f1b7a52-3d0c-4f0e-9a55-0d6f6b1f0c99"},
        {"gen": 2},
        {"base_url": "https://elsewhere.example.com/v1"},
    ],
)
async def test_a_key_sealed_for_something_else_does_not_open(change: dict[str, object]) -> None:
    platform = Platform()
    task = await platform.ask()
    platform.credentials.receive(platform.seal(platform.asked[0], **change))  # type: ignore[arg-type]
    with pytest.raises(KeyUnavailable, match="damaged") as error:
        await task
    assert not error.value.permanent


async def test_a_key_is_asked_for_the_address_that_its_owner_chose_and_opens_for_no_other() -> None:
    here = "https://models.example.com/v1"
    platform = Platform()
    platform.credentials.claim(session=SESSION, gen=3, addresses={"anthropic": here})
    task = await platform.ask()
    assert platform.asked[0].base_url == here
    platform.credentials.receive(platform.seal(platform.asked[0]))
    with pytest.raises(KeyUnavailable, match="damaged"):
        await task
    task = await platform.ask()
    platform.credentials.receive(platform.seal(platform.asked[-1], base_url=here))
    assert await task == "the-key"
    asked_too = asyncio.create_task(platform.credentials.key("another"))
    await asyncio.sleep(0)
    assert (platform.asked[-1].provider, platform.asked[-1].base_url) == ("another", "")
    asked_too.cancel()


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64!", "A" * 200])
async def test_a_damaged_answer_is_refused(sealed: str) -> None:
    platform = Platform()
    task = await platform.ask()
    nonce = platform.asked[0].nonce
    platform.credentials.receive(frames.Key(provider="anthropic", nonce=nonce, sealed=sealed))
    with pytest.raises(KeyUnavailable):
        await task


async def test_an_answer_for_another_provider_or_nonce_is_refused() -> None:
    platform = Platform()
    task = await platform.ask("anthropic")
    nonce = platform.asked[0].nonce
    platform.credentials.receive(platform.seal(frames.KeyRequest(provider="openai", nonce=nonce)))
    platform.credentials.receive(frames.Key(provider="anthropic", nonce="AAAA", sealed="AAAA"))
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()


async def test_the_platform_may_seal_one_key_to_the_nonce_of_a_hello() -> None:
    platform = Platform()
    nonce = platform.credentials.hello_nonce()
    platform.credentials.receive(platform.seal(frames.KeyRequest(provider="openai", nonce=nonce)))
    assert await platform.credentials.key("openai") == "the-key"
    assert platform.asked == []


async def test_a_new_connection_voids_old_nonces_and_asks_again() -> None:
    platform = Platform()
    task = await platform.ask()
    platform.credentials.hello_nonce()
    platform.credentials.receive(platform.seal(platform.asked[0]))
    await asyncio.sleep(0)
    assert not task.done()
    (again,) = platform.credentials.requests()
    assert again.nonce != platform.asked[0].nonce
    platform.credentials.receive(platform.seal(again))
    assert await task == "the-key"
    assert platform.credentials.requests() == []


@pytest.mark.parametrize(("code", "permanent"), [("key_missing", True), ("database_down", False)])
async def test_the_platform_may_have_no_key(code: str, permanent: bool) -> None:
    platform = Platform()
    task = await platform.ask()
    platform.credentials.receive(frames.Key(provider="anthropic", nonce=platform.asked[0].nonce, error=code))
    with pytest.raises(KeyUnavailable) as error:
        await task
    assert error.value.permanent is permanent
    assert ("There is no key" in str(error.value)) is permanent
    assert len(platform.asked) == 1
    retried = await platform.ask()
    assert len(platform.asked) == 2
    retried.cancel()


async def test_keys_are_forgotten_when_the_link_stays_away() -> None:
    platform = Platform()
    task = await platform.ask()
    platform.credentials.receive(platform.seal(platform.asked[0]))
    await task
    platform.credentials.link_lost()
    platform.credentials.link_up()
    await asyncio.sleep(0.05)
    assert await platform.credentials.key("anthropic") == "the-key"
    platform.credentials.link_lost()
    platform.credentials.link_lost()
    await asyncio.sleep(0.05)
    waiting = await platform.ask()
    assert len(platform.asked) == 2
    waiting.cancel()


async def test_whoever_gives_up_waiting_disturbs_nobody() -> None:
    platform = Platform()
    patient, impatient = await platform.ask(), await platform.ask()
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    platform.credentials.receive(platform.seal(platform.asked[0]))
    assert await patient == "the-key"


async def test_whoever_comes_after_one_that_gave_up_asks_again() -> None:
    platform = Platform()
    impatient = await platform.ask()
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    later = await platform.ask()
    assert len(platform.asked) == 2
    platform.credentials.receive(platform.seal(platform.asked[1]))
    assert await later == "the-key"


async def test_a_key_that_nobody_uses_is_forgotten_and_asked_for_again() -> None:
    # A busy machine may stand still for longer than a moment between two uses.
    platform = Platform(idle_seconds=1.0)
    task = await platform.ask()
    platform.credentials.receive(platform.seal(platform.asked[0], "seldom-used-key"))
    await task
    for _ in range(6):
        await asyncio.sleep(0.2)
        assert await platform.credentials.key("anthropic") == "seldom-used-key"
    assert log.redact("seldom-used-key") == "[redacted]"
    async with asyncio.timeout(20):
        while "seldom-used-key" in repr(vars(platform.credentials)):
            await asyncio.sleep(0.05)
    assert log.redact("seldom-used-key") == "seldom-used-key", "the log keeps it"
    again = await platform.ask()
    platform.credentials.receive(platform.seal(platform.asked[1]))
    assert await again == "the-key"


async def test_a_key_that_is_revoked_in_the_moment_of_its_arrival_is_not_used() -> None:
    platform = Platform()
    task = await platform.ask()
    platform.credentials.receive(platform.seal(platform.asked[0], "revoked"))
    platform.credentials.drop("anthropic")
    await asyncio.sleep(0)
    assert not task.done()
    await asyncio.sleep(0)
    platform.credentials.receive(platform.seal(platform.asked[1], "another-key"))
    assert await task == "another-key"
