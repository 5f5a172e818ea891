"""The ASGI application: HTTP for the API and the pages, websockets for the live board and the API's streams."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lab.settings")
http = get_asgi_application()  # sets Django up: the imports below need it

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import re_path  # noqa: E402

from lab.apiserver.views import streams  # noqa: E402
from lab.dashboard import routing  # noqa: E402

# The API's clients are no browsers and name no origin; the API looks for itself whom it lets in.
board = AllowedHostsOriginValidator(URLRouter(routing.websocket_urlpatterns))
application = ProtocolTypeRouter(
    {"http": http, "websocket": URLRouter([*streams.websocket_urlpatterns, re_path("", board)])}
)
