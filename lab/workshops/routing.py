"""The addresses of a workshop's websockets."""

from django.urls import re_path

from .consumers import SeatConsumer, WallConsumer

websocket_urlpatterns = [
    re_path(r"^staff/workshops/(?P<code>[A-Z]{6})/wall$", WallConsumer.as_asgi()),
    re_path(r"^room/live$", SeatConsumer.as_asgi()),
]
