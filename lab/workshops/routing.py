"""The addresses of a workshop's websockets."""

from django.urls import re_path

from .consumers import AlongConsumer, SeatConsumer, WallConsumer

websocket_urlpatterns = [
    re_path(r"^staff/workshops/(?P<code>[A-Z]{6})/wall$", WallConsumer.as_asgi()),
    re_path(
        r"^staff/workshops/(?P<code>[A-Z]{6})/along/(?P<cluster>[a-z]{6}-[0-9]+)$",
        AlongConsumer.as_asgi(),
    ),
    re_path(r"^room/live$", SeatConsumer.as_asgi()),
]
