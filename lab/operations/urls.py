"""Addresses of the lab itself. At the room's port all but `/livez` are for those who teach; at the TLS port there are
none, and these names are the API server's there."""

from django.urls import path, re_path

from . import views

urlpatterns = [
    path("metrics", views.metrics),
    path("health", views.health, name="health"),
    path("livez", views.livez),
    path("readyz", views.readyz),
    re_path(r"^readyz/(?P<part>[a-z-]+)$", views.readyz),
]
