"""Logs: one JSON object an event where a program reads them, and in no format a secret."""

import json
import logging
import re
import sys
import urllib.error
from collections.abc import Iterator

import pytest
from django.conf import settings

from lab import logs
from lab.logs import JsonLine, Line, part_of, shown
from lab.supervisor.child import as_event, warning_in
from lab.workshops.accounts import make_first
from lab.workshops.codes import new_code, new_token

from .flow.room import Browser, made, root_of
from .labs import LabUnderTest, wait_until

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl_-x"


@pytest.mark.parametrize(
    "text, secret",
    [
        (f"Authorization: Bearer {JWT}", JWT),
        (f"the token {JWT} has expired", JWT),
        ("postgres://orrery:s3cret@db:5432/orrery does not answer", "s3cret"),
        ("redis://:s3cret@cache:6379/0", "s3cret"),
        ("GET /back/{token} failed", None),
        ("GET /through/bcdfgh-1:{token}/default/web/ failed", None),
        ("cookie: orrery-seat={token}; csrftoken=abc", None),
        ("{{'username': 'grace', 'password': '{token}'}}", None),
        ('{{"new_password1": "{token}"}}', None),
        ("POST password={token}&next=/", None),
        ("GET /join?code={code} failed", None),
        ("GET /staff/workshops/{code}/wall: 500", None),
        ("the room of {code} waits", None),
    ],
)
def test_what_lets_somebody_in_is_not_in_a_line(text, secret):
    code, token = new_code(), new_token()
    line = shown(text.format(code=code, token=token) if secret is None else text)
    for each in (secret, code, token):
        assert each is None or each not in line
    assert logs.HIDDEN in line


def test_the_cluster_of_a_learner_is_known_by_the_number_of_its_seat():
    assert shown("kubelet bcdfgh-12 default/web: started") == "kubelet hidden-12 default/web: started"
    assert shown("volume orrery-1a2b3c4d-bcdfgh-3-pvc") == "volume orrery-1a2b3c4d-hidden-3-pvc"


@pytest.mark.parametrize("text", [
    "kubelet for docker begins", "HTTPS and gRPC at 127.0.0.1:8090", 
    "web-7d9c8bf6c4-x2k9v of default: Created container app",
    "GET /clusters/default/api/v1/pods: 200", "http://127.0.0.1:8088/ answers", "secret default/tokens: not found",
])  # fmt: skip
def test_what_is_no_secret_stays_as_it_is(text):
    assert shown(text) == text


@pytest.mark.django_db
def test_the_password_that_is_printed_once_is_in_no_log():
    assert shown(f"signs in with {make_first()}, once") == "signs in with hidden, once"


@pytest.fixture
def record() -> Iterator[logging.LogRecord]:
    number, cluster = logs.request_id.set("abc"), logs.cluster.set("bcdfgh-3")
    try:
        raise ValueError(f"token={JWT}")
    except ValueError:
        yield logging.LogRecord("lab.x", logging.ERROR, "", 1, "%s failed\nbadly", ("it",), sys.exc_info())
    logs.request_id.reset(number)
    logs.cluster.reset(cluster)


def test_an_event_is_one_line_of_json(record):
    record.created = 0.5
    line = JsonLine().format(record)
    said = json.loads(line)
    assert "\n" not in line and JWT not in line
    error = said.pop("error")
    assert "ValueError" in error
    assert said == {"time": "1970-01-01T00:00:00.500Z", "level": "ERROR", "part": logs.own_part(), "logger": "lab.x",
                    "cluster": "hidden-3", "request": "abc", "message": "it failed\nbadly"}  # fmt: skip


def test_people_read_what_they_have_always_read(record):
    record.created, record.msecs = 0.0, 7.0
    assert re.match(r"1970-01-01 \d\d:00:00,007 E lab.x: it failed\nbadly\nTraceback", Line(logs.FORMAT).format(record))
    assert settings.LOG_FORMAT == "text"


@pytest.mark.parametrize(
    "argv, part",
    [(["/orrery/lab/web.py"], "web"), (["/x/lab/proxy/program/__main__.py", "--state"], "proxy"),
     (["manage.py", "prepare"], "prepare"), ([], "lab")],
)  # fmt: skip
def test_a_process_knows_which_part_it_is(argv, part):
    assert part_of(argv) == part


def test_the_supervisor_makes_events_of_what_is_none_and_hears_warnings_in_both():
    said = json.loads(as_event("broker", "1:M 29 Nov # Server started"))
    assert (said["part"], said["level"], said["message"]) == ("broker", "INFO", "1:M 29 Nov # Server started")
    plain = "2026-11-24 03:14:15,926 W lab.kubelet: it is late"
    assert warning_in(plain) == "lab.kubelet: it is late"
    assert json.loads(as_event("proxy", plain))["level"] == "WARNING"
    event = logs.as_json(0, "ERROR", "web", "no", logger="lab.x")
    assert (as_event("web", event), warning_in(event)) == (event, "lab.x: no")
    assert warning_in('{"level": "ERROR"}') == warning_in("{") == ""
    assert warning_in(logs.as_json(0, "WARNING", "web", "deprecated", logger="py.warnings")) == ""


@pytest.mark.timeout(240)
def test_a_lab_that_logs_json_does_so_in_every_line_and_tells_no_secret(tmp_path):
    options = ("--room", "127.0.0.1", "--log-format", "json")
    lab = LabUnderTest(tmp_path / "data", "simulated", *options, ORRERY_LOG="DEBUG")
    try:
        lab.start()
        wait_until("the way in", lambda: "who teaches" in lab.said())
        printed = (lab.data / "first-sign-in").read_text().strip()
        teacher = Browser(root_of(lab))
        teacher.post("staff/sign-in", username="instructor", password=printed)
        teacher.post("staff/password", new_password1="of my own choice", new_password2="of my own choice")
        code = made(teacher, "10-desired-state")
        ada = Browser(root_of(lab))
        ada.post("join", code=code, nickname="Ada")
        seat = ada.cookie("orrery-seat")
        assert "Ada" in Browser(root_of(lab)).get(f"back/{seat}")
        assert "PodList" in ada.get(f"clusters/{code.lower()}-1/api/v1/pods")
        with pytest.raises(urllib.error.HTTPError):
            ada.post("join", code="BBBBBB", nickname="Eve")
        with pytest.raises(urllib.error.HTTPError):
            Browser(root_of(lab)).get(f"back/{seat}x")
        token = lab.api("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {})["status"]["token"]
        logged = [path.read_text() for path in (lab.data / "logs").iterdir()]
    finally:
        lab.clean_up()
    text = "".join([*logged, lab.said()])
    events = [json.loads(line) for line in text.splitlines() if line]
    assert all({"time", "level", "part", "message"} <= event.keys() for event in events)
    assert {"web", "worker", "supervisor"} <= {event["part"] for event in events}
    assert any(event.get("request") and event.get("cluster") == "default" for event in events)
    assert any(event.get("cluster") == "hidden-1" for event in events)
    cookies = [teacher.cookie("orrery-staff"), teacher.cookie("csrftoken")]
    for secret in (printed, "of my own choice", code, code.lower(), seat, token, *cookies):
        assert secret not in text
