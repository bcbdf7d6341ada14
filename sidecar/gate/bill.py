"""What one call is counted as: the provider's own numbers, or, where they never came, the most it may be.

1. Numbers of an answer that came to its end are the provider's, whoever has read it.
2. What the provider ended by itself counts as what it told and said: each byte of text as a token. A stream
   that falls silent is such an end; without a stream a model may have written all the while.
3. What we ended counts as the most that the request allows: the model may have thought unseen, and a provider
   need not stop because nobody reads.
4. The same may be told before, for those who would have to wait: what is known in the end corrects it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

import httpx2

from sidecar.gate.failures import TooLong
from sidecar.gate.redaction import Redactor
from sidecar.gate.upload import Upload
from sidecar.gate.usage import Counts, Meter
from sidecar.protocol.budget import Reserve
from sidecar.protocol.messages import Counted, Usage


@dataclass
class Bill:
    """Of one call that costs something; it is told once, with what is known when the call ends.

    Or twice, if somebody wants to know at once: then `settle` has to follow.
    """

    provider: str
    redactor: Redactor
    tell: Callable[[Usage], None]
    upload: Upload
    _request_id: str = field(default_factory=lambda: uuid4().hex)
    _for_now: Counted | None = None
    _is_told: bool = False

    @property
    def most(self) -> Reserve:
        """What the call may cost at most."""
        asked = self.upload.asked
        return Reserve(model=self.redactor.cleaned(asked.model), input=asked.input, output=asked.output)

    def tell_for_now(self) -> None:
        """Tell what the call may cost at most, if nothing is known yet."""
        if self._is_told:
            return
        most = self._estimate(Counts(), self.upload.asked.output)
        self._count(most, self.upload.asked.model, is_estimated=True)
        self._for_now = Counted(input=most.input, output=most.output)

    def settle(self) -> None:
        """The call is over: what it did not cost after all is taken back."""
        if self._for_now is not None:
            self._count(Counts(), self.upload.asked.model)

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
        corrects, self._for_now, self._is_told = self._for_now, None, True
        if is_estimated and corrects == Counted(input=counts.input, output=counts.output):
            return
        self.tell(
            Usage(
                request_id=self._request_id,
                provider=self.provider,
                model=self.redactor.cleaned(model),
                input=counts.input,
                output=counts.output,
                cached=counts.cached,
                reasoning=counts.reasoning,
                written=counts.written,
                estimated=is_estimated,
                corrects=corrects,
            )
        )
