"""Django's registration of the sessions app."""

from django.apps import AppConfig


class SessionsAppConfig(AppConfig):
    """The app that owns sessions, instances, prompts, events, permissions and usage records."""

    name = "sessions_app"
    verbose_name = "Agent sessions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only now.
        from keys_app import revocation
        from openagent.accounts import deactivation, deletion
        from openagent.lib import health
        from sessions_app import checks, metrics  # noqa: F401  # checks register themselves
        from sessions_app.services import facts, links, sessions

        revocation.subscribe(links.on_key_revoked)
        revocation.subscribe_to_deletions(links.hold_sessions_with)
        deactivation.subscribe(sessions.stop_all_of)
        deletion.subscribe(sessions.hold_all_of)
        metrics.register()
        health.register("instances", facts.health)
