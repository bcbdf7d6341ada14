"""The rows that are the truth: one module per noun, re-exported for Django and for callers."""

from sessions_app.models.budget import Budget, Measure, Period
from sessions_app.models.command import Command
from sessions_app.models.custom_agent import CustomAgent
from sessions_app.models.egress import EgressBounds, EgressPolicy, EgressRule, Verdict
from sessions_app.models.event import Event
from sessions_app.models.host import Host
from sessions_app.models.instance import Instance, InstanceState
from sessions_app.models.instance_use import InstanceUse
from sessions_app.models.permission import Permission, PermissionState
from sessions_app.models.pool_member import PoolMember, PoolState
from sessions_app.models.price import Price
from sessions_app.models.prompt import Prompt, PromptState
from sessions_app.models.session import Mode, Session
from sessions_app.models.storage_day import StorageDay
from sessions_app.models.terminal import Terminal, TerminalPiece, TerminalState
from sessions_app.models.usage import UsageEvent

__all__ = [
    "Budget",
    "Command",
    "CustomAgent",
    "EgressBounds",
    "EgressPolicy",
    "EgressRule",
    "Event",
    "Host",
    "Instance",
    "InstanceState",
    "InstanceUse",
    "Measure",
    "Mode",
    "Period",
    "Permission",
    "PermissionState",
    "PoolMember",
    "PoolState",
    "Price",
    "Prompt",
    "PromptState",
    "Session",
    "StorageDay",
    "Terminal",
    "TerminalPiece",
    "TerminalState",
    "UsageEvent",
    "Verdict",
]
