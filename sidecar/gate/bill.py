"""What one call is counted as: the provider's own numbers, or, where they never came, the most it may be.

1. Numbers of an answer that came to its end are the provider's, whoever has read it.
2. What the provider ended by itself counts as what it told and said: each byte of text as a token. A stream
   that falls silent is such an end; without a stream a model may have written all the while.
3. What we ended counts as the most that the request allows: the model may have thought unseen, and a provider
   need not stop because nobody reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import httpx2

from sidecar.gate.failures import TooLong
from sidecar.gate.redaction import Redactor
from sidecar.gate.upload import Upload
from sidecar.gate.usage import Counts, Meter
from sidecar.protocol.messages import Usage


@dataclass
class Bill:
    """Of one call that costs something; it is told once, with what is known when the call ends."""

    provider: str
    redactor: Redactor
    tell: Callable[[Usage], None]
    upload: Upload

    @contextmanager
    def of_request(self) -> Iterator[None]:
        """Around the way up until an answer begins: a call that we end there has cost something."""
        try:
            yield
        except (asyncio.CancelledError, httpx2.ReadTimeout) as error:
            if self.upload.is_sent and self._is_ours(error):
                self._count(
                    self._estimate(Counts(), self.upload.asked.output),
                    self.upload.asked.model,
                    is_estimated=True,
                )
            raise

    @contextmanager
    def of_answer(self, meter: Meter) -> Iterator[None]:
        """Around the answer: what the call cost is told before anybody says what was wrong with it."""
        try:
            yield
        except BaseException as error:
            self._settle(meter, is_cut=self._is_ours(error))
            raise
        self._settle(meter, is_cut=False)

    def _is_ours(self, error: BaseException) -> bool:
        """Whether the call was ended while its provider would have gone on with it."""
        if isinstance(error, httpx2.TimeoutException):
            return not self.upload.asked.is_stream
        return isinstance(error, asyncio.CancelledError | TooLong)

    def _settle(self, meter: Meter, *, is_cut: bool) -> None:
        reading = meter.reading
        counts, model = reading.counts, reading.model or self.upload.asked.model
        if counts.known and reading.ended:
            self._count(counts, model)
        elif is_cut or reading.is_overlong:
            self._count(self._estimate(counts, self.upload.asked.output), model, is_estimated=True)
        elif reading.said > counts.output:
            self._count(
                self._estimate(counts, min(reading.said, self.upload.asked.output)), model, is_estimated=True
            )
        elif counts.known:
            self._count(counts, model)

    def _estimate(self, told: Counts, output: int) -> Counts:
        read = told.input if told.known else self.upload.asked.input
        return replace(told, input=read, output=max(told.output, output))

    def _count(self, counts: Counts, model: str, *, is_estimated: bool = False) -> None:
        self.tell(
            Usage(
                request_id=uuid4().hex,
                provider=self.provider,
                model=self.redactor.cleaned(model),
                input=counts.input,
                output=counts.output,
                cached=counts.cached,
                reasoning=counts.reasoning,
                written=counts.written,
                estimated=is_estimated,
            )
        )
