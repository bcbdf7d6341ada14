"""What a box is told of the way out."""

from __future__ import annotations

from sessions_app.drivers import box_network


def test_registries_are_as_they_are_told() -> None:
    told = box_network.environment(bundle="", registries={"PIP_INDEX_URL": "https://mirror.example/simple"})
    assert told["PIP_INDEX_URL"] == "https://mirror.example/simple"
    assert "SSL_CERT_FILE" not in told
