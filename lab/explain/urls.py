"""Addresses of the readings, among those of the API that they are about; all else is the API's."""

from django.conf import settings
from django.urls import include, path, re_path

from lab.apiserver.requestinfo import READINGS
from lab.apiserver.views.entry import CLUSTER

from . import views

cluster = [
    re_path(r"^history/?$", views.overview),
    re_path(r"^history/(?P<revision>[^/]+)$", views.at_revision),
    re_path(r"^history/(?P<revision>[^/]+)/thread$", views.thread_of),
    re_path(r"^history/(?P<before>[^/]+)/(?P<after>[^/]+)$", views.between),
    re_path(rf"^(?P<path>apis?/.+/(?:{'|'.join(READINGS)}))$", views.of_object),
]

urlpatterns = [
    re_path(CLUSTER, include(cluster)),
    path("", include(cluster), {"cluster": settings.DEFAULT_CLUSTER}),
    path("", include("lab.apiserver.urls")),
]
