"""Numbers events, journals them, and keeps them for sending until the platform has stored them.

A disk that takes nothing stops the numbering and nothing else: it is said once, in space kept for that, and
`write` may be tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from sidecar import log
from sidecar.journal import Journal, JournalUnwritable
from sidecar.protocol import coalesce, messages, stream

_log = log.get(__name__)
_encoder = msgspec.json.Encoder()


class Ledger:
    """The numbered events of one generation."""

    def __init__(self, journal: Journal, *, session: str, gen: int, instance: str, first: int) -> None:
        """JournalConflict and JournalUnwritable as `Journal.open` has them."""
        journal.open(session=session, gen=gen, instance=instance, first=first)
        self._journal = journal
        self._gen = gen
        self._outgoing = stream.Outgoing(first=first)
        self.is_stalled = False

    @property
    def last_seq(self) -> int:
        return self._outgoing.last

    @property
    def bytes_kept(self) -> int:
        """The size of what is not acknowledged."""
        return self._outgoing.bytes_kept

    @property
    def is_idle(self) -> bool:
        """Whether everything has been sent."""
        return self._outgoing.is_idle

    @property
    def is_settled(self) -> bool:
        """Whether everything has been acknowledged."""
        return self._outgoing.is_settled

    def write(self, drafts: Sequence[coalesce.Draft]) -> bool:
        """Number and journal the drafts; False, and nothing was done, when the disk does not take them."""
        if self.is_stalled and not self._journal.restore_reserve():
            return False
        encoded = self._encode(drafts)
        try:
            self._heal()
            self._journal.append(encoded)
        except JournalUnwritable as error:
            self._stall(error)
            return False
        self._keep(encoded)
        if self.is_stalled:
            self.is_stalled = False
            _log.info("the disk takes events again")
        return True

    async def sync(self) -> bool:
        """Return when all that was written is on the disk; False when the disk fails: try again later."""
        try:
            self._heal()
            await self._journal.sync()
        except JournalUnwritable as error:
            self._stall(error)
            return False
        return True

    def take(self) -> list[bytes]:
        """The next events to send, within the credit."""
        return self._outgoing.take()

    def acknowledge(self, seq: int) -> None:
        """The platform has stored events up to `seq`. StreamError when that cannot be."""
        kept = self.bytes_kept
        self._outgoing.acknowledge(seq)
        self._journal.acknowledge(self._outgoing.acknowledged, freed=kept - self.bytes_kept)

    def resume(self, stored: int) -> None:
        """A new connection, whose other end has stored events up to `stored`. StreamError as above."""
        kept = self.bytes_kept
        self._outgoing.resume(stored)
        self._journal.acknowledge(self._outgoing.acknowledged, freed=kept - self.bytes_kept)

    def note_command(self, number: int) -> None:
        """Commands up to `number` are carried out."""
        self._journal.note_command(number)

    async def close(self) -> None:
        """Let go of the journal. What is not stored stays in it, for the next generation."""
        await self._journal.close()

    def _encode(self, drafts: Sequence[coalesce.Draft]) -> list[bytes]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return [
            stream.encode_event(
                seq=seq,
                gen=self._gen,
                turn=draft.turn,
                ts=now,
                kind=draft.kind,
                data=_encoder.encode(draft.data),
            )
            for seq, draft in enumerate(drafts, self._outgoing.last + 1)
        ]

    def _keep(self, encoded: Sequence[bytes]) -> None:
        for entry in encoded:
            self._outgoing.append(entry)

    def _heal(self) -> None:
        if self._journal.is_suspect:
            self._journal.rewrite(self._outgoing.unacknowledged())

    def _stall(self, error: JournalUnwritable) -> None:
        if self.is_stalled:
            return
        self.is_stalled = True
        _log.error("the disk does not take events, the agent waits", reason=str(error))
        notice = messages.ErrorData(
            error_class="disk_full",
            message=f"The disk does not take this session's events ({error}). The agent waits and goes on by "
            "itself when there is space again: free some, or ask your administrator to.",
        )
        self._journal.use_reserve()
        encoded = self._encode([coalesce.Draft("error", notice, None, 0, None)])
        try:
            self._journal.append(encoded)
        except JournalUnwritable:
            return
        self._keep(encoded)
