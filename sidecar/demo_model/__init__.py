"""The scripted model: speaks four model APIs and plays scripts, so that everything works without a key.

It is a demonstration and a test double, and says so in what it writes. `serve` runs it in this process,
`python -m sidecar.demo_model` by itself; `expected` tells what a prompt will make it say.
"""

from sidecar.demo_model.expected import Expected, expected, expected_text
from sidecar.demo_model.performance import Exchange
from sidecar.demo_model.server import Server, serve

__all__ = ["Exchange", "Expected", "Server", "expected", "expected_text", "serve"]
