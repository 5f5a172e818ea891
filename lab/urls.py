"""Addresses: the board at `/`, each cluster's API under `/clusters/<cluster>/`."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("lab.dashboard.urls")),  # first: whatever else lies under /clusters/ is the API's, and a 404 there
    path("", include("lab.tutorials.urls")),
    *([path("", include("lab.workshops.urls"))] if settings.ROOM else []),
    path("", include("lab.operations.urls")),
    path("", include("lab.explain.urls")),  # which has the API's behind its own
]
