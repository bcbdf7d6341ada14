"""Wake-ups through the channel layer: what a Redis that is away leaves behind, which is nothing."""

from __future__ import annotations

import pytest
import redis.exceptions
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection

from sessions_app import relay


@pytest.mark.parametrize("fails", ["specific", "group"])
async def test_listening_in_vain_leaves_no_channel_behind(
    monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    async def subscribe(shard: RedisSingleShardConnection, name: str) -> None:
        if fails in name:
            raise redis.exceptions.ConnectionError("away")

    layer = RedisPubSubChannelLayer(hosts=["unix:///nowhere"])
    monkeypatch.setattr(RedisSingleShardConnection, "subscribe", subscribe)
    monkeypatch.setattr(relay, "get_channel_layer", lambda: layer)
    with pytest.raises(redis.exceptions.ConnectionError):
        await relay.listen()
    assert (layer.channels, layer.groups) == ({}, {})
