"""Celery tasks of the keys app: each calls one service, and may be lost or run twice."""

from __future__ import annotations

from celery import shared_task

from keys_app import rotation


@shared_task
def rewrap(**_: object) -> None:
    """Carry on whatever rewrapping is open."""
    rotation.carry_on_all()
