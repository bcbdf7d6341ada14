"""Keeps what is known of this host's package registries: read from its tools, now and then, for all boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from openagent.lib import log, plain_address, registries
from sessions_app.models import EgressBounds
from sessions_app.services import egress

_log = log.get(__name__)

_MOST_RESTS = 10
"""Passes between two times that the registries are read, when everybody answers."""


def learn() -> None:
    """Reads them anew and tells live boxes what is different.

    Of an index that does not answer now, what it said before is kept, and it is soon asked again.
    """
    findings = registries.find(settings.OPENAGENT_REGISTRIES_FROM)
    problems = findings.problems
    if problems:
        _log.warning("some registries could not be found out", problems=problems)
    bounds, _ = EgressBounds.objects.get_or_create(pk=1)
    now = [asdict(each) for each in findings.registries]
    for each in now:
        if (each["tool"], each["index"]) in findings.unsure:
            each["sources"] = [*dict.fromkeys((*each["sources"], *_sources_before(each, bounds)))]
    known = {(each["host"], each["port"]) for each in now}
    now += [
        each
        for each in bounds.registries
        if {(each["tool"], ""), (each["tool"], each["index"])} & findings.unsure
        and (each["host"], each["port"]) not in known
    ]
    misses = bounds.registry_misses + 1 if findings.unsure else 0
    EgressBounds.objects.filter(pk=bounds.pk).update(
        registries=now,
        registry_problems=problems,
        registries_at=timezone.now(),
        registry_misses=min(misses, _MOST_RESTS),
        registry_rests=min(2 ** (misses - 1), _MOST_RESTS) if misses else _MOST_RESTS,
    )
    egress.tell_everybody()


def learn_when_due() -> None:
    """One pass: learns when enough of them have gone by, after ever more while somebody does not answer."""
    waits = EgressBounds.objects.filter(pk=1, registry_rests__gt=1)
    if not waits.update(registry_rests=F("registry_rests") - 1):
        learn()


def _sources_before(registry: Mapping[str, Any], bounds: EgressBounds) -> list[str]:
    """What apt had at this address when it was last known."""
    of = {"tool": registry["tool"], "address": registry["address"]}
    same = (each for each in bounds.registries if of.items() <= each.items())
    return [source for each in same for source in each.get("sources", ())]


def environment() -> dict[str, str]:
    """How pip, npm and apt in a box are told to use what those of this host use."""
    return told_of(EgressBounds.current().registries)


def told_of(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The same of these, as `learn` keeps them."""
    # What was found by an earlier version, and is kept, may be what this one would not tell.
    indexes = [each for each in found if each.get("address") and plain_address.is_plain(each["address"])]
    default = {each["tool"]: each["address"] for each in indexes if each.get("is_default")}
    more = [each["address"] for each in indexes if each["tool"] == "pip" and not each.get("is_default")]
    sources = [
        f"{origin} {each['address']} {rest}"
        for each in indexes
        for origin, _, rest in (source.partition(" ") for source in each.get("sources", ()))
    ]
    told = {
        "PIP_INDEX_URL": default.get("pip", ""),
        "PIP_EXTRA_INDEX_URL": " ".join(more),
        "NPM_CONFIG_REGISTRY": default.get("npm", ""),
        "OPENAGENT_APT_SOURCES": "\n".join(sources),
    }
    return {name: value for name, value in told.items() if value}
