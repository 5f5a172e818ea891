"""A thousand malformed requests: each is refused in words, none breaks the server, none hangs."""

import http.client
import json
import random
import socket
import time

from .conftest import Api, deployment, pod

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
REQUESTS = 1000

WRONG = [
    None, True, -1, 2**31, 2**63, 2**64, 1e308, "", "x" * 300, "\u0000", "\ud800", [], {}, [[]], [None], {"a": {}},
    "../..", "%00", "-", "a/b", "\n", "\u202e", {"$patch": "delete"}, {"name": None}, 0.1, "NaN", [{}], [{"name": 1}],
]  # fmt: skip
RAW = [
    b"", b"{", b"}", b"[", b"[]", b"null", b"1", b'"x"', b"\x00", b"\xff\xfe\x00", b'{"a":', b"{'a':1}", b"k8s\x00abc",
    b'{"kind":"Pod","kind":"Node"}', b'{"metadata":{"name":"\xc3\x28"}}', b'{"spec":{"replicas":1e400}}',
    b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b'{"metadata":' + b"9" * 5000 + b"}", b"NaN",
    b'{"metadata":{"name":"a","name":"b"}}', b"apiVersion: v1\nkind: Pod\n", b'{"metadata":{"name":"\\ud800"}}',
]  # fmt: skip
QUERIES = [
    "limit=x", "limit=-5", "limit=99999999999999999999999", "continue=xyz", "continue=%00", "continue=e30",
    "labelSelector=%3D%3D", "labelSelector=a+in+(", "labelSelector=%00", "labelSelector=a%3Db%3Dc", "fieldSelector=x",
    "fieldSelector=a%3Db", "fieldSelector=metadata.name%3D%ff", "resourceVersion=-1", "resourceVersion=abc",
    "resourceVersion=1e9", "resourceVersionMatch=Maybe", "watch=maybe", "watch=1&resourceVersion=x",
    "watch=1&resourceVersion=999999999", "timeoutSeconds=x", "includeObject=All", "sendInitialEvents=true",
    "watch=1&sendInitialEvents=true", "dryRun=Some", "fieldValidation=Maybe", "fieldManager=" + "x" * 500,
    "gracePeriodSeconds=x", "propagationPolicy=Maybe", "orphanDependents=maybe", "%", "&&&=;", "limit=%ff%fe",
    "&".join(f"a{n}=1" for n in range(2000)), "pretty=maybe", "labelSelector=" + "a," * 3000,
]  # fmt: skip
HEADERS = [
    {}, {"Content_Type": "text/html"}, {"Content_Type": "application/json-patch+json"}, {"Accept": "text/html"},
    {"Content_Type": ";;;"}, {"Accept": ";q=x,,,;"}, {"Content_Type": "application/merge-patch+json"},
    {"Content_Type": "application/strategic-merge-patch+json"}, {"User_Agent": "\xff\xfe"}, {"Accept": "a" * 5000},
    {"Content_Type": "application/json"}, {"Content_Type": "application/vnd.kubernetes.protobuf"},
]  # fmt: skip
PATHS = [
    PODS, f"{PODS}/a", f"{PODS}/a/status", f"{PODS}/a/binding", f"{PODS}/a/eviction", f"{PODS}/a/log", f"{PODS}/a/kill",
    DEPLOYMENTS, f"{DEPLOYMENTS}/web", f"{DEPLOYMENTS}/web/scale", f"{DEPLOYMENTS}/web/status", "/api/v1/nodes",
    "/api/v1/namespaces", "/api/v1/namespaces/default/finalize", "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/secrets", "/api/v1/namespaces/default/services", "/api/v1/namespaces/default/events",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases", "/apis/apps/v1/namespaces/default/replicasets",
    "/api/v1/namespaces/%00/pods", "/api/v1/namespaces/a%2Fb/pods/%ff", f"{PODS}/" + "a" * 3000, "/openapi/v3/../../x",
    "/apis/%00", "/api/v1/%ff", "/openapi/v3/%00", "//", "/api/v1/namespaces/default/pods/a/log/more",
]  # fmt: skip


def spoiled(chance: random.Random, value, wrong: list):
    """The object with something wrong somewhere in it."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.25:
        return chance.choice(wrong)
    key = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[key] = spoiled(chance, value[key], wrong)
    if chance.random() < 0.2 and isinstance(copied, dict):
        copied[chance.choice(["x", "", "metadata", "spec", "\u0000", "kind"])] = chance.choice(wrong)
    return copied


def a_body(chance: random.Random) -> bytes | None:
    if chance.random() < 0.1:
        return None
    if chance.random() < 0.3:
        return chance.choice(RAW)
    patches = [{"op": "replace", "path": "/spec/replicas", "value": 1}]
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}}
    binding = {"target": {"kind": "Node", "name": "n"}, "metadata": {"name": "a"}}
    options = {"gracePeriodSeconds": 3, "propagationPolicy": "Background", "preconditions": {"uid": "x"}}
    scale = {"spec": {"replicas": 3}, "metadata": {"name": "web", "resourceVersion": "3"}}
    whole = [pod("a", app="web"), deployment("web"), patches, service, binding, options, scale]
    return json.dumps(spoiled(chance, chance.choice(whole), WRONG)).encode()


def ask(api: Api, chance: random.Random) -> tuple[str, int, bytes]:
    method = chance.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"])
    path = chance.choice(PATHS) + (f"?{chance.choice(QUERIES)}" if chance.random() < 0.5 else "")
    if "watch=" not in path and method == "GET" and chance.random() < 0.1:
        path += ("&" if "?" in path else "?") + "watch=1&timeoutSeconds=1&resourceVersion=1"
    headers = chance.choice(HEADERS)
    reply = api.ask(method, path, a_body(chance), **headers)
    return f"{method} {path[:200]} {headers}", reply.code, reply.raw


def test_a_thousand_malformed_requests_are_refused_in_words(api):
    chance = random.Random(20240229)
    api.create(DEPLOYMENTS, deployment("web"))
    refused, broken = 0, []
    for number in range(REQUESTS):
        began = time.monotonic()
        what, code, raw = ask(api, chance)
        took = time.monotonic() - began
        if (code >= 500 and code != 504) or took > 5:
            broken.append(f"request {number}, {took:.1f} s: {what}: {code}: {raw[:500]!r}")
        if code >= 400 and raw.startswith(b"{"):
            status = json.loads(raw)
            refused += 1
            assert (status["kind"], status["code"]) == ("Status", code), what
            assert status["message"], what
    assert broken == []
    assert refused > REQUESTS / 2
    assert api.get("/readyz").raw == b"ok"
    for path in (PODS, DEPLOYMENTS, "/api/v1/nodes", "/api/v1/events"):
        assert api.get(path, Accept="application/json;as=Table;v=v1;g=meta.k8s.io").code == 200


def test_bytes_that_are_no_http_are_survived(api):
    for raw in (b"\x00\xff\x16\x03", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", api.port), timeout=5) as client:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            client.recv(1024)
    assert api.get("/readyz").raw == b"ok"


def test_a_body_that_never_comes_holds_up_nobody(api):
    slow = http.client.HTTPConnection("127.0.0.1", api.port, timeout=5)
    slow.putrequest("POST", f"/clusters/default{PODS}")
    slow.putheader("Content-Length", "100000")
    slow.endheaders()
    slow.send(b'{"metadata":')
    assert api.get(PODS).code == 200
    slow.close()
