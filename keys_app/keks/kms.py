"""A KEK that never leaves AWS KMS: data keys are sent there to be wrapped and unwrapped.

The place that a data key is for is the encryption context, which KMS authenticates and writes to its own log.
What was unwrapped is kept for a few minutes, so that KMS is not asked for every use of a key: that long a
KEK that was disabled goes on opening what was open. Credentials are found as boto3 always finds them.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import re
import threading
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from keys_app.keks.base import KekUnavailable, NotOpened, Wrapped
from keys_app.keks.cache import DekCache
from openagent.lib import log

MOST_CACHED = 1000
CACHED_SECONDS = 300.0

# Of a key and not of an alias, which may be another key tomorrow.
_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+")
_DOES_NOT_OPEN = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_PATIENCE = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})

_log = log.get(__name__)
_making = threading.Lock()


class KmsKek:
    """A symmetric key of AWS KMS, by its ARN. ValueError when it is no ARN of a key."""

    def __init__(self, arn: str, *, endpoint: str = "") -> None:
        match = _ARN.fullmatch(arn)
        if match is None:
            raise ValueError("not the ARN of a key")
        self.arn = arn
        self._region, self._endpoint = match["region"], endpoint
        self._cache = DekCache(most=MOST_CACHED, seconds=CACHED_SECONDS)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"openagent.kek-id|kms|v1|" + self.arn.encode()).hexdigest()[:16]

    def wrap(self, dek: bytes, context: bytes) -> Wrapped:
        answer = self._ask("encrypt", Plaintext=dek, EncryptionContext=_encryption_context(context))
        return Wrapped(b"", answer["CiphertextBlob"])

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        dek = self._cache.get(wrapped.ciphertext, context)
        if dek is None:
            answer = self._ask(
                "decrypt",
                CiphertextBlob=wrapped.ciphertext,
                EncryptionContext=_encryption_context(context),
            )
            dek = bytes(answer["Plaintext"])
            self._cache.put(wrapped.ciphertext, context, dek)
        return dek

    def _ask(self, call: str, **arguments: Any) -> dict[str, Any]:
        try:
            client = _client(self._region, self._endpoint)
            answer: dict[str, Any] = getattr(client, call)(KeyId=self.arn, **arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))[:60]
            if call == "decrypt" and code in _DOES_NOT_OPEN:
                raise NotOpened from None
            _log.error("kms_refused", call=call, kek=self.id, code=code)
            raise KekUnavailable from None
        except BotoCoreError as error:
            _log.error("kms_unavailable", call=call, kek=self.id, reason=type(error).__name__)
            raise KekUnavailable from None
        return answer


def _encryption_context(context: bytes) -> dict[str, str]:
    return {"openagent": context.decode()}


@functools.lru_cache(maxsize=8)
def _made(region: str, endpoint: str) -> Any:
    # At DEBUG it writes down whole requests, data keys included.
    logging.getLogger("botocore").setLevel(logging.INFO)
    session = boto3.session.Session(region_name=region)
    return session.client("kms", endpoint_url=endpoint or None, config=_PATIENCE)


def _client(region: str, endpoint: str) -> Any:
    with _making:
        return _made(region, endpoint)
