"""The ASGI application: Django answers HTTP, the consumers answer WebSockets."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openagent.settings")
django_application = get_asgi_application()

# Models can be imported only after Django is set up.
from sessions_app.consumers import upkeep  # noqa: E402
from sessions_app.consumers.routing import websocket_urlpatterns  # noqa: E402


async def _http(scope: Any, receive: Any, send: Any) -> None:
    """Not only with the first socket: that no sidecar comes has to be noticed too."""
    upkeep.ensure_running()
    await django_application(scope, receive, send)


application = ProtocolTypeRouter({"http": _http, "websocket": URLRouter(websocket_urlpatterns)})
