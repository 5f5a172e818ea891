"""Addresses of lessons: `/lessons/`, and under each cluster's own path the board with a lesson beside it."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from lab.dashboard.urls import CLUSTER

from . import records, slides, views

LESSON = CLUSTER + r"lessons/(?P<id>[0-9]{2}-[-a-z0-9]+)/"

urlpatterns = [
    path("lessons/", records.overview, name="lessons"),
    path("lessons", RedirectView.as_view(pattern_name="lessons", query_string=True)),  # as one types it
    path("lessons/certificate", records.certificate, name="certificate"),
    path("lessons/progress.yaml", records.progress_file, name="progress-file"),
    path("lessons/progress", records.bring_progress, name="bring-progress"),
    path("lessons/predictions", records.predictions, name="predictions"),
    path("lessons/schema.json", views.schema_of_files),
    re_path(r"^lessons/(?P<id>[0-9]{2}-[-a-z0-9]+)/slides$", slides.show, name="slides"),
    re_path(r"^lessons/(?P<id>[0-9]{2}-[-a-z0-9]+)/start$", views.start, name="start-lesson"),
    re_path(LESSON + r"$", views.player, name="lesson"),
    re_path(LESSON + r"parts$", views.parts, name="lesson-parts"),
    re_path(LESSON + r"do/(?P<what>answer|hint|skip|reset|go|next)$", views.act, name="lesson-act"),
    re_path(LESSON + r"press$", views.press, name="lesson-press"),
]
