"""The room's door: whose way leads where."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

import orjson
import pytest
from django.test import AsyncRequestFactory
from django.utils.timezone import now

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.dashboard import console
from lab.dashboard.frontdoor import way_in
from lab.httpserver import AT_END, LETS, SHOWN_CLUSTERS
from lab.models import Help, Workshop
from lab.tutorials.cluster import ensure_learning_cluster
from lab.tutorials.views import client_of, start
from lab.workshops.entering import check_free
from lab.workshops.seats import join

from .conftest import inside


def test_who_has_the_link_of_a_learners_service_reaches_it_and_nothing_else(workshop, ask, monkeypatch):
    monkeypatch.setenv("ORRERY_FRONT_DOOR", "http://localhost:8089/")
    ada, _ = join(workshop.code, "Ada")
    link = way_in(ada.cluster, by_room=True).format(service="web", namespace="default")
    assert ask(f"{link}accounts") == ask(link, method="POST") == (200, ada.cluster)
    for path in (
        f"/through/{ada.cluster}/default/web/",
        link.replace("/default/web/", "/"),
        link.replace(ada.cluster, "default"),
    ):
        assert ask(path)[0] == 404, path
    assert ask(link, kind="websocket") == (0, "websocket.close")


def test_a_learner_reaches_their_own_cluster_and_no_other(workshop, ask):
    (ada, key), (bob, other) = join(workshop.code, "Ada"), join(workshop.code, "Bob")
    mine, theirs = f"/clusters/{ada.cluster}/", f"/clusters/{bob.cluster}/"
    for path in (mine, f"{mine}api/v1/pods", "/lessons/", f"/lessons/?cluster={ada.cluster}", "/room/"):
        assert ask(path, key) == (200, ada.cluster)
    for path in (theirs, f"{theirs}api/v1/pods", "/clusters/default/", "/api/v1/pods", "/lessons/predictions",
                 f"/lessons/?cluster={bob.cluster}", f"/lessons/?cluster={ada.cluster}&cluster={bob.cluster}",
                 f"{mine[:-1]}0/", "/apis"):  # fmt: skip
        assert ask(path, key)[0] == 403, path
    assert ask(f"{theirs}board", key, kind="websocket") == (0, "websocket.close")
    assert ask(f"{mine}board", key, kind="websocket")[1] == "http.response.start"  # it came through
    assert ask(theirs, other) == (200, bob.cluster)


def test_a_kubectl_comes_in_by_the_key_in_its_servers_address_to_the_api_and_nothing_else(workshop, ask):
    (ada, key), (bob, _) = join(workshop.code, "Ada"), join(workshop.code, "Bob")
    mine, theirs = (f"/clusters/{seat.cluster}/" for seat in (ada, bob))
    for path in ("api", "api/v1/pods", "apis/apps/v1/deployments?watch=1", "openapi/v3", "version"):
        assert ask(f"/key/{key}{mine}{path}") == ask(f"/key/{key}{mine}{path}", method="POST") == (200, ada.cluster)
    for path in (f"{theirs}api/v1/pods", mine, f"{mine}board/do/scale", f"{mine}lessons/", "/room/", "/api/v1/pods"):
        assert ask(f"/key/{key}{path}")[0] == 401, path
    assert ask(f"/key/{key[:-1]}{mine}api")[0] == ask(f"/key/{mine}api")[0] == 401
    assert ask(f"/key/{key}{mine}api/v1/namespaces/default/pods/a/exec", kind="websocket")[1] == "http.response.start"
    Workshop.objects.filter(pk=workshop.pk).update(paused=True)
    assert ask(f"/key/{key}{mine}api/v1/pods")[0] == 200
    assert ask(f"/key/{key}{mine}api/v1/pods", method="DELETE")[0] == 403


def test_who_has_sent_a_form_that_is_refused_gets_a_page_with_a_way_back(workshop, ask):
    ada, key = join(workshop.code, "Ada")
    Workshop.objects.filter(pk=workshop.pk).update(paused=True)
    path = "/lessons/10-desired-state/start"
    status, said = ask(path, key, "POST", headers=[(b"accept", b"text/html,*/*")])
    assert status == 403 and "Your class pauses" in said and 'href="/"' in said
    for headers in ([], [(b"accept", b"text/html"), (b"hx-request", b"true")]):  # a script's reads the API's words
        assert orjson.loads(ask(path, key, "POST", headers=headers)[1])["message"].startswith("your class pauses")


def test_a_stranger_can_join_and_nothing_else(workshop, ask):
    ada, key = join(workshop.code, "Ada")
    for path in ("/join", "/static/board/main.js", "/staff/sign-in", "/back/x"):
        assert ask(path) == (200, "all")
    for token in ("", "x", key[:-1], ada.key):
        for path in ("/clusters/default/api/v1/secrets", f"/clusters/{ada.cluster}/api/v1/secrets", "/lessons/"):
            assert ask(path, token)[0] == 403
        assert ask("/", token)[0] == 303
        for path in (f"/clusters/{ada.cluster}/", "/clusters/gone-1/lessons/10-desired-state/"):
            # Who had a seat is led to where one comes in, and told there, whether there is such a cluster or not.
            assert ask(path, token)[0] == (303 if token else 403)
        assert ask(f"/clusters/{ada.cluster}/", token, method="POST")[0] == 403
    assert ask(f"/clusters/{ada.cluster}/", "made-up", cookie="orrery-staff")[0] == 403


# What is asked for in a learner's cluster, and from which state on its instructor may: L looks along, A acts.
MATRIX = [
    ("GET", "", "L"),
    ("GET", "lessons/10-desired-state/", "L"),
    ("GET", "lessons/10-desired-state/parts", "L"),
    ("GET", "board/past/3", "L"),
    ("GET", "api/v1/pods", "L"),
    ("websocket", "board", "L"),
    ("POST", "board/do/scale", "A"),
    ("POST", "board/kubectl", "L"),  # it asks back before what is an act
    ("POST", "api/v1/namespaces/default/services/web/proxy/board/kubectl", "A"),
    ("POST", "lessons/10-desired-state/do/reset", "A"),
    ("POST", "lessons/10-desired-state/press", "A"),
    ("POST", "api/v1/namespaces/default/pods", "A"),
    ("PATCH", "api/v1/namespaces/default/pods/a", "A"),
    ("DELETE", "api/v1/namespaces/default/pods/a", "A"),
    ("websocket", "api/v1/namespaces/default/pods/a/exec", "A"),
]


def is_in(answer: tuple[int, str], author: str) -> bool:
    return answer in ((200, author), (200, "http.response.start"))


@pytest.mark.parametrize(("method", "path", "from_"), MATRIX)
def test_who_teaches_comes_into_a_learners_cluster_as_far_as_they_are_let(workshop, teacher, ask, method, path, from_):
    ada, key = join(workshop.code, "Ada")
    staff = teacher.cookies["orrery-staff"].value
    way = {"kind": "websocket"} if method == "websocket" else {"method": method}
    mine = f"/clusters/{ada.cluster}/{path}"
    for state, may in (("", ""), ("Asked", ""), ("Looks", "L"), ("Offers", "L"), ("Acts", "LA")):
        Help.objects.all().delete()
        if state:
            Help.objects.create(seat=ada, by="grace", state=state)
        assert is_in(ask(mine, staff, cookie="orrery-staff", **way), "instructor") == (from_ in may), state
        assert is_in(ask(mine, key, **way), ada.cluster) == (from_ == "L" or state != "Acts"), state
        Help.objects.update(by="somebody else")
        assert not is_in(ask(mine, staff, cookie="orrery-staff", **way), "instructor")
    assert ask("/clusters/learn/", staff, cookie="orrery-staff") == (200, "all")


def test_a_seat_that_nobody_has_is_looked_at_by_its_own_instructors_and_acted_in_by_nobody(workshop, teacher, ask):
    staff, free = teacher.cookies["orrery-staff"].value, "/clusters/bcdfgh-1/"
    ensure_learning_cluster("bcdfgh-1", workshop.guard)
    assert ask(f"{free}api/v1/pods", staff, cookie="orrery-staff") == (200, "all")
    assert "bcdfgh-1" in inside.state[SHOWN_CLUSTERS]()
    assert ask(f"{free}api/v1/pods", staff, "POST", cookie="orrery-staff")[0] == 403
    with pytest.raises(ApiError, match="this waits for a learner"):
        inside.lets("bcdfgh-1")
    check = partial(check_free, free, "grace", acts=False)
    assert check() is None
    ada, _ = join(workshop.code, "Ada")
    with pytest.raises(ApiError, match="a learner has come into this cluster"):
        check()  # a board that was open before closes
    ada.delete()
    Workshop.objects.filter(pk=workshop.pk).update(by="somebody else")
    for way in ({}, {"kind": "websocket"}, {"method": "POST"}):
        answer = ask(f"{free}api/v1/pods", staff, cookie="orrery-staff", **way)
        assert answer[0] == 403 or answer[1] == "websocket.close"
    assert ask("/clusters/learn/", staff, cookie="orrery-staff")[0] == 200
    assert "bcdfgh-1" not in inside.state[SHOWN_CLUSTERS]()


def test_who_may_not_look_along_yet_is_led_to_the_wall_and_who_waits_is_told_why(workshop, teacher, ask):
    ada, key = join(workshop.code, "Ada")
    staff = teacher.cookies["orrery-staff"].value
    assert ask(f"/clusters/{ada.cluster}/", staff, cookie="orrery-staff")[0] == 303
    Help.objects.create(seat=ada, by="grace", state="Acts")
    status, words = ask(f"/clusters/{ada.cluster}/board/do/scale", key, method="POST")
    assert status == 403 and "grace acts in your cluster now" in words
    assert ask("/lessons/10-desired-state/start", key, method="POST")[0] == 403
    for path in ("/room/help/back", "/room/hand", "/room/questions", "/room/vote", "/room/alone"):
        assert ask(path, key, method="POST") == (200, ada.cluster), path


@pytest.mark.parametrize(("method", "path", "from_"), MATRIX)
def test_while_a_class_pauses_and_when_it_is_over_who_learns_looks_and_does_not_act(workshop, ask, method, path, from_):
    ada, key = join(workshop.code, "Ada")
    way = {"kind": "websocket"} if method == "websocket" else {"method": method}
    for held in ({"paused": True}, {"over": now()}):
        Workshop.objects.update(**{"paused": False, "over": None, **held})
        assert is_in(ask(f"/clusters/{ada.cluster}/{path}", key, **way), ada.cluster) == (from_ == "L"), held
    status, words = ask("/lessons/10-desired-state/start", key, method="POST")
    assert status == 403 and "this class is over" in words
    for path in ("/room/hand", "/room/questions", "/room/help/end", "/lessons/certificate", "/lessons/progress.yaml"):
        method = "GET" if path.startswith("/lessons/") else "POST"
        assert ask(path, key, method=method) == (200, ada.cluster), path


def test_a_lesson_is_begun_in_a_learners_cluster_only_by_who_acts_there(workshop, teacher, ask, rf):
    """Its name is in the form, where the door does not look: the page asks back."""
    ada, key = join(workshop.code, "Ada")
    path = "/lessons/10-desired-state/start"
    assert ask(path, key, method="POST")[0] == 200
    assert ask(path, teacher.cookies["orrery-staff"].value, method="POST", cookie="orrery-staff")[0] == 200
    for state in ("", "Looks", "Acts"):
        Help.objects.all().delete()
        if state:
            Help.objects.create(seat=ada, by="grace", state=state)
        request = rf.post(path, {"cluster": ada.cluster})
        request.scope = {"state": {LETS: inside.lets}}
        assert start(request, "10-desired-state").status_code == (302 if state == "Acts" else 403), state
        assert bool(client_of(ada.cluster).list(LESSONS)) == (state == "Acts")
    inside.lets("learn")
    Help.objects.update(by="somebody else")
    with pytest.raises(ApiError):
        inside.lets(ada.cluster)


COMMANDS = {
    "get pods": True, "logs web --tail=5": True, "rollout status deployment/web": True, "auth can-i get pods": True,
    "scale deployment web --replicas=2": False, "exec web -- ls": False, "rollout undo deployment/web": False,
}  # fmt: skip


@pytest.fixture
def type_(ask, monkeypatch) -> Callable[..., str]:
    """Into the command line behind the door: the Status of a refusal, or what kubectl says."""

    async def said(*_):
        yield b"kubectl runs"

    monkeypatch.setattr(console, "said", said)
    monkeypatch.setattr(console, "program", lambda: "/usr/bin/kubectl")

    async def answer(cluster: str, command: str) -> str:
        request = AsyncRequestFactory().post("/", orjson.dumps({"command": command}), "application/json")
        with contextlib.ExitStack() as at_end:
            request.scope |= {"state": inside.state, AT_END: at_end}
            came = await console.run(request, cluster)
            return b"".join([part async for part in came] if came.streaming else [came.content]).decode()

    def typed(cluster: str, key: str, command: str, **who: str) -> str:
        status, words = ask(f"/clusters/{cluster}/board/kubectl", key, method="POST", **who)
        return asyncio.run(answer(cluster, command)) if status == 200 else words

    return typed


@pytest.mark.parametrize(("command", "reads"), COMMANDS.items())
def test_who_may_only_look_reads_by_kubectl_too(workshop, teacher, type_, command, reads):
    ada, key = join(workshop.code, "Ada")
    staff = {"key": teacher.cookies["orrery-staff"].value, "cookie": "orrery-staff"}
    assert type_(ada.cluster, key, command) == "kubectl runs"
    assert "has not let you look along" in type_(ada.cluster, command=command, **staff)
    Help.objects.create(seat=ada, by="grace", state="Looks")
    assert ("kubectl runs" if reads else "take over first") in type_(ada.cluster, command=command, **staff)
    Help.objects.update(state="Acts")
    assert ("kubectl runs" if reads else "take it back at the top") in type_(ada.cluster, key, command)
    Help.objects.all().delete()
    for held, why in (({"paused": True}, "your class pauses"), ({"over": now()}, "this class is over")):
        Workshop.objects.update(**held)
        assert ("kubectl runs" if reads else why) in type_(ada.cluster, key, command), held
