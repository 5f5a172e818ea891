"""Addresses of the lab itself. At the room's port they are for those who teach, at the TLS port there are none."""

from django.urls import path

from . import views

urlpatterns = [path("metrics", views.metrics)]
