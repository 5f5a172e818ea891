"""Addresses: the board at `/`, each cluster's API under `/clusters/<cluster>/`."""

from django.urls import include, path

urlpatterns = [
    path("", include("lab.apiserver.urls")),
    path("", include("lab.dashboard.urls")),
]
