"""Addresses of the classroom: `/join` and `/room/` for who learns, `/staff/` for who teaches."""

from django.urls import path, re_path

from . import afterwards, asking, learner, people, teaching, views

CODE = r"^staff/workshops/(?P<code>[A-Z]{6})/"

urlpatterns = [
    path("join", learner.come_in, name="join"),
    path("back/<str:token>", learner.come_back),
    path("room/", learner.room, name="room"),
    path("room/kubeconfig", learner.own_kubeconfig, name="kubeconfig"),
    path("room/hand", learner.hand, name="hand"),
    path("room/alone", learner.alone, name="alone"),
    path("room/help/<str:what>", learner.helped, name="helped"),
    path("room/vote", learner.vote, name="vote"),
    path("room/questions", asking.questions, name="questions"),
    path("room/questions/<int:question>/<str:what>", asking.change, name="question"),
    path("staff/sign-in", views.sign_in, name="sign-in"),
    path("staff/sign-out", views.sign_out, name="sign-out"),
    path("staff/password", views.password, name="password"),
    path("staff/workshops/", views.workshops, name="workshops"),
    re_path(CODE + r"$", views.workshop, name="workshop"),
    re_path(CODE + r"edit$", views.edit, name="edit-workshop"),
    re_path(CODE + r"(?P<act>open|close|begin|warm|rehearse|earlier|delete)$", views.change, name="change-workshop"),
    re_path(CODE + r"people$", people.page, name="people"),
    re_path(CODE + r"people/(?P<act>new-password|away|helps|groups)$", people.change, name="change-people"),
    re_path(CODE + r"report$", afterwards.page, name="report"),
    re_path(CODE + r"report\.(?P<kind>csv|json)$", afterwards.file, name="report-file"),
    re_path(CODE + r"drill$", afterwards.drill, name="drill"),
    re_path(CODE + r"wall$", teaching.wall, name="wall"),
    re_path(
        CODE + r"wall/do/(?P<what>[a-z-]+)$",
        teaching.do,
        name="wall-do",
    ),
]
