"""Tells the platform of the soak that there is another driver."""

from __future__ import annotations

from django.apps import AppConfig

from sessions_app.drivers import DRIVERS


class SoakConfig(AppConfig):
    name = "tests.soak"
    label = "soak"

    def ready(self) -> None:
        DRIVERS["nursery"] = "tests.soak.driver.NurseryDriver"
