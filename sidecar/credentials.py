"""Keys in memory: asked for when the gate needs one, opened once, forgotten when nobody uses them or the link
stays away.

The key pair is made at boot and never leaves this process. Every nonce is good for one answer; whatever does
not answer one of them is refused and logged.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sidecar import log
from sidecar.gate.models import KeyUnavailable
from sidecar.protocol import frames, login, sealing

FORGET_SECONDS = 60.0
IDLE_SECONDS = 300.0

_PERMANENT = {
    "consent_required": "This login goes into the box, and its owner has not agreed to that. Add it anew.",
    "key_missing": "There is no key for this provider, or not any more. Add one under Keys.",
    "key_moved": "This key has another address now. Stop the session and start it again.",
    "key_unreadable": "The stored key can no longer be decrypted. Replace it under Keys.",
}

_log = log.get(__name__)


class Credentials:
    """The provider keys of one session. `claim` comes before the first key."""

    def __init__(
        self,
        send: Callable[[frames.KeyRequest], None],
        *,
        forget_seconds: float = FORGET_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._private_key = X25519PrivateKey.generate()
        self._send = send
        self._forget_seconds = forget_seconds
        self._idle_seconds = idle_seconds
        self._session = ""
        self._gen = 0
        self._addresses: Mapping[str, str] = {}
        self._keys: dict[str, str] = {}
        self._nonces: dict[str, str] = {}
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._asked: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._idle: dict[str, asyncio.TimerHandle] = {}

    @property
    def public_key(self) -> str:
        """The public half, as a hello shows it."""
        return sealing.to_text(self._private_key.public_key().public_bytes_raw())

    def hello_nonce(self) -> str:
        """A nonce for a new connection; the platform may seal any one key to it. Older nonces are void."""
        self._nonces.clear()
        return self._new_nonce("")

    def claim(self, *, session: str, gen: int, addresses: Mapping[str, str] | None = None) -> None:
        """Keys are for this session and generation; `addresses` are what their owners chose, by provider."""
        self._session, self._gen, self._addresses = session, gen, addresses or {}

    async def key(self, provider: str) -> str:
        """The provider's key. KeyUnavailable when the platform has none; waits while it does not answer."""
        while provider not in self._keys:
            # Again when it was revoked in the moment between its arrival and our turn.
            await self._arrival(provider)
        self._is_used(provider)
        return self._keys[provider]

    async def _arrival(self, provider: str) -> None:
        waiting = self._waiting.get(provider)
        if waiting is None or waiting.done():
            waiting = self._waiting[provider] = asyncio.get_running_loop().create_future()
        if provider not in self._asked:
            self._asked.add(provider)
            self._send(self._request(provider))
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            # It took too long for somebody: the next one asks again.
            self._asked.discard(provider)
            raise

    def requests(self) -> list[frames.KeyRequest]:
        """What to ask again on a new connection."""
        return [self._request(provider) for provider, waiting in self._waiting.items() if not waiting.done()]

    def receive(self, frame: frames.Key) -> None:
        """An answer: a sealed key, or why there is none."""
        expected = self._nonces.pop(frame.nonce, None)
        if expected is None or expected not in ("", frame.provider):
            _log.error("a key was sent that nobody asked for, refused", provider=frame.provider[:40])
            return
        self._asked.discard(frame.provider)
        waiting = self._waiting.get(frame.provider)
        try:
            key = self._open(frame)
        except KeyUnavailable as error:
            if waiting and not waiting.done():
                waiting.set_exception(error)
                # Whoever asked may have given up.
                waiting.exception()
            return
        self._forget_one(frame.provider)
        for secret in {key, login.secret_of(key)}:
            log.hide(secret)
        self._keys[frame.provider] = key
        self._is_used(frame.provider)
        if waiting and not waiting.done():
            waiting.set_result(None)

    def drop(self, provider: str) -> None:
        """Forget the provider's key, and whatever was sealed before now and is still under way."""
        self._nonces = {nonce: of for nonce, of in self._nonces.items() if of not in ("", provider)}
        waiting = self._waiting.get(provider)
        if waiting is not None and not waiting.done():
            self._asked.add(provider)
            self._send(self._request(provider))
        if self._forget_one(provider):
            _log.info("key dropped", provider=provider[:40])

    def link_up(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def link_lost(self) -> None:
        """Without a link nobody can revoke a key: after a while none is kept."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._forget_seconds, self.forget)

    def forget(self) -> None:
        """Drop all keys."""
        self._timer = None
        for provider in list(self._keys):
            self.drop(provider)

    def _is_used(self, provider: str) -> None:
        if earlier := self._idle.pop(provider, None):
            earlier.cancel()
        loop = asyncio.get_running_loop()
        self._idle[provider] = loop.call_later(self._idle_seconds, self.drop, provider)

    def _forget_one(self, provider: str) -> bool:
        if timer := self._idle.pop(provider, None):
            timer.cancel()
        key = self._keys.pop(provider, None)
        if key is not None:
            for secret in {key, login.secret_of(key)}:
                log.unhide(secret)
        return key is not None

    def _open(self, frame: frames.Key) -> str:
        if frame.error:
            message = _PERMANENT.get(frame.error)
            text = message or f"The platform cannot give the key ({frame.error[:60]}). Try again."
            raise KeyUnavailable(text, permanent=message is not None)
        try:
            nonce = sealing.from_text(frame.nonce)
            info = sealing.info(
                session=self._session,
                generation=self._gen,
                provider=frame.provider,
                nonce=nonce,
                base_url=self._addresses.get(frame.provider, ""),
            )
            return sealing.open(self._private_key, sealing.from_text(frame.sealed), info).decode()
        except (sealing.SealingError, UnicodeDecodeError) as error:
            _log.error("a sealed key was refused", provider=frame.provider[:40], reason=str(error))
            raise KeyUnavailable("The key arrived damaged. Try again.", permanent=False) from error

    def _request(self, provider: str) -> frames.KeyRequest:
        nonce = self._new_nonce(provider)
        address = self._addresses.get(provider, "")
        return frames.KeyRequest(provider=provider, nonce=nonce, base_url=address)

    def _new_nonce(self, provider: str) -> str:
        nonce = sealing.to_text(os.urandom(sealing.NONCE_BYTES))
        self._nonces[nonce] = provider
        return nonce
