"""The board's addresses: `/`, and under each cluster's own path, beside its API."""

from django.urls import path, re_path

from . import console, past, pipeline, views

CLUSTER = r"^clusters/(?P<cluster>[a-z0-9][-a-z0-9]{0,62})/"

urlpatterns = [
    path("", views.home),
    re_path(CLUSTER + r"$", views.board, name="board"),
    re_path(CLUSTER + r"board/drawer/(?P<resource>[a-z0-9.]+)/(?P<key>[-a-z0-9./]+)$", views.details, name="drawer"),
    re_path(
        CLUSTER + r"board/panel/(?P<name>[a-z-]+)$",
        views.form,
        name="panel",
    ),
    re_path(CLUSTER + r"board/kubectl$", console.run),
    re_path(CLUSTER + r"board/past/(?P<revision>[0-9]{1,18})$", past.show),
    re_path(CLUSTER + r"board/past/last/(?P<seconds>[0-9]{1,6})$", past.lately),
    re_path(CLUSTER + r"board/past/(?P<after>[0-9]{1,18})/on$", past.play),
    re_path(CLUSTER + r"bundle\.zip$", views.take_away, name="bundle"),
    re_path(CLUSTER + r"ship$", pipeline.ship, name="ship"),
    re_path(CLUSTER + r"images$", pipeline.show_images, name="images"),
    re_path(CLUSTER + r"images\.json$", pipeline.list_images),
    re_path(CLUSTER + r"board/do/(?P<action>[a-z-]+)$", views.do, name="do"),
]
