"""The ASGI application: Django answers HTTP, the consumers answer WebSockets."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openagent.settings")
django_application = get_asgi_application()

# Models can be imported only after Django is set up.
from sessions_app.consumers.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter({"http": django_application, "websocket": URLRouter(websocket_urlpatterns)})
