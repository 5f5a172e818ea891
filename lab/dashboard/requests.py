"""One request, followed through the logs of all that it passed: lines of JSON with its id, as the bank writes them."""

import http.client
import json
import socket
import uuid
from datetime import datetime

from lab.apimachinery.errors import ApiError, unavailable
from lab.apimachinery.kinds import PODS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import controller_of
from lab.apiserver.passing import front_door
from lab.client import Client
from lab.client.logs import last_lines

REQUESTS = "requests"  # what the board calls its drawer: requests/<namespace>/<id>
HEADER = "X-Request-Id"
LINES = 5000  # of each container
ASK_SECONDS = 2.0
TIMEOUT_SECONDS = 12.0  # longer than the parts of the bank wait for each other
MOST_BYTES = 1 << 16
DETAIL = "debug"  # a level that is left out
READ_SECONDS = 60.0  # within which an engine stamps what it reads, however busy its machine


def ask(
    cluster: str, method: str, service: str, namespace: str, path: str, seconds: float = ASK_SECONDS, id_: str = ""
) -> tuple[int, str]:
    """One request to a Service at the front door: its status and body. `service` may name a port, `web:admin`. Raises
    OSError while nobody answers, ApiError where there is no front door."""
    door = front_door()
    if not door:
        raise unavailable("this lab has no front door: nobody can ask a Service from outside")
    name, _, port = service.partition(":")
    headers = {"Host": f"{port + '.' if port else ''}{name}.{namespace}.{cluster}.localhost", "Connection": "close"}
    connection = http.client.HTTPConnection("localhost")
    try:
        connection.sock = socket.socket(socket.AF_UNIX if isinstance(door, str) else socket.AF_INET)
        connection.sock.settimeout(seconds)
        connection.sock.connect(door)
        connection.request(method, path, headers=headers | ({HEADER: id_} if id_ else {}))
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES).decode(errors="replace")
    except http.client.HTTPException as error:
        raise ConnectionError(str(error) or type(error).__name__) from None
    finally:
        connection.close()


def make_request(client: Client, namespace: str, service: str, path: str) -> str:
    """Ask, and say by which id: to be followed even if nobody answers. Raises ApiError where there is no front door."""
    id_ = uuid.uuid4().hex[:16]
    try:
        ask(client.cluster, "GET", service, namespace, path, TIMEOUT_SECONDS, id_)
    except OSError as error:
        raise unavailable(f"{service} does not answer at the front door: {error}") from None
    return id_


def lines_of(client: Client, namespace: str, id_: str) -> list[dict]:
    """Its lines in the order in which their work began: `{"began", "ms", "service", "pod", "level", "text"}`; `began`
    in seconds since the epoch, `ms` only of a line that says how long it took."""
    found = []
    for pod, _, said in last_lines(client, client.list(PODS, namespace), LINES):
        for line in said:
            if id_.encode() in line and (one := told_line(pod, line.decode(errors="replace"), id_)):
                found.append(one)
    return sorted(found, key=lambda one: one["began"])


def services_of(lines: list[dict]) -> list[str]:
    """The services that it passed, in its order."""
    return list(dict.fromkeys(line["service"] for line in lines))


def told_line(pod: dict, line: str, id_: str) -> dict | None:
    """A line of a log, as `lines_of` has it; None if it only mentions the id, or is a detail."""
    stamp, _, text = line.rstrip("\n").partition(" ")
    ended = datetime.fromisoformat(stamp).timestamp()
    name = pod["metadata"]["name"]
    service = pod["metadata"].get("labels", {}).get("app") or (controller_of(pod) or {}).get("name") or name
    about = {"began": ended, "service": service, "pod": name, "level": "info", "text": text}
    try:
        told = json.loads(text)
    except ValueError:
        return about
    if not isinstance(told, dict) or told.get("request_id") != id_ or told.get("level") == DETAIL:
        return None
    words = [str(told[key]) for key in ("method", "route", "status", "message", "error") if key in told]
    about |= {"level": told.get("level", "info"), "text": " ".join(words) or text}
    about |= {"service": told.get("service", service)}
    ended = _told_time(told.get("time"), ended)
    ms = told.get("ms")
    if not isinstance(ms, int | float):
        return about | {"began": ended}
    return about | {"ms": round(ms, 1), "began": ended - ms / 1000}


def _told_time(told: object, stamped: float) -> float:
    """When a line was written by its own words, if they are to be believed: the engine stamps a line when it reads it,
    and on a busy machine that is later by more than the next service was asked after."""
    try:
        own = datetime.fromisoformat(str(told)).timestamp()
    except (ValueError, OverflowError):
        return stamped
    return own if stamped - READ_SECONDS < own <= stamped else stamped


def request_drawer(client: Client, namespace: str, id_: str) -> dict:
    """The drawer of one request. Raises ApiError 404 for one of which no log tells."""
    lines = lines_of(client, namespace, id_)
    if not lines:
        raise ApiError(404, "NotFound", f"no log in {namespace} has a line with the request id {id_}")
    first = lines[0]["began"]
    whole = max(line["began"] - first + line.get("ms", 0) / 1000 for line in lines) or 0.001
    for line in lines:
        line["after"] = f"+{(line['began'] - first) * 1000:.1f} ms"
        line["x"] = round((line["began"] - first) / whole * 100, 2)
        line["width"] = round(max(line.get("ms", 0) / 1000 / whole * 100, 0.6), 2)
    return {
        "kind": "request",
        "id": f"{REQUESTS}/{namespace}/{id_}",
        "name": id_,
        "namespace": namespace,
        "lines": lines,
        "services": services_of(lines),
        "took": f"{whole * 1000:.1f} ms",
        "failed": any(line["level"] == "error" for line in lines),
        "cluster": client.cluster,
        "command": f"{kubectl('logs', '-l', 'app', '--prefix', '--tail', '-1', namespace=namespace)} | grep {id_}",
    }
