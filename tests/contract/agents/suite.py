"""The promises of `Agent` as tests. A module per agent inherits them and says how such an agent is made."""

from __future__ import annotations

from tests.contract.agents.consents import Consents
from tests.contract.agents.ends import Ends
from tests.contract.agents.says import Says


class AgentContract(Says, Consents, Ends):
    """`made` is an agent on the demo model in mode "ask". It may be shared: a test leaves no turn open."""
