"""The addresses of the live board's websockets."""

from django.urls import re_path

from .consumers import BoardConsumer

websocket_urlpatterns = [re_path(r"^clusters/(?P<cluster>[a-z0-9][-a-z0-9]{0,62})/board$", BoardConsumer.as_asgi())]
