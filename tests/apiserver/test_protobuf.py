"""Objects in protobuf, as clients in Go send them: what is read is what they would have sent as JSON."""

import base64
import json
from datetime import datetime

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.apimachinery.errors import ApiError
from lab.apiserver import protobuf

from .protowriter import encode, envelope
from .test_kubectl import k  # noqa: F401 - a fixture

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "labels": {"app": "web", "empty": ""},
        "creationTimestamp": "2026-02-03T04:05:06Z",
        "deletionGracePeriodSeconds": 0,
    },
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "c",
                "args": ["", "-v", "größe"],
                "ports": [{"containerPort": 80}],
                "env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}}],
                "resources": {"requests": {"cpu": "100m", "memory": "0"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "initialDelaySeconds": 3},
                "livenessProbe": {"tcpSocket": {"port": 8080}},
                "securityContext": {"runAsUser": -1, "privileged": False},
            }
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "tolerations": [{"operator": "Exists", "tolerationSeconds": 9007199254740993}],
    },
}


def test_zeros_are_kept_where_go_writes_them_to_json_and_left_out_where_it_does_not():
    assert protobuf.decode(encode(POD)) == POD
    told = {**POD, "spec": {**POD["spec"], "hostNetwork": False, "nodeName": ""}}
    assert protobuf.decode(encode(told)) == POD


DATES = st.datetimes(min_value=datetime(1970, 1, 1))
VALUES = {
    "string": st.text(max_size=5),
    "quantity": st.sampled_from(["0", "100m", "1Gi"]),
    "int": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "bytes": st.binary(max_size=5).map(lambda raw: base64.b64encode(raw).decode()),
    "time": DATES.map(lambda when: f"{when:%Y-%m-%dT%H:%M:%SZ}"),
    "microtime": DATES.map(lambda when: f"{when:%Y-%m-%dT%H:%M:%S.%fZ}"),
    "json": st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2),
    "intorstring": st.integers(0, 9) | st.text(max_size=3),
    "strings": st.lists(st.text(max_size=3), max_size=3),
}  # fmt: skip


def made_of(draw, name: str, depth: int) -> dict:
    """A message as its client means it: what is there is no zero that JSON would not have."""
    messages = protobuf._table()[1]
    fields = list(messages[name].values())
    made = {}
    for field in draw(st.lists(st.sampled_from(fields), max_size=4, unique=True)) if fields else ():
        if "/" in field.type and depth == 0:
            continue

        def one(field=field):
            return made_of(draw, field.type, depth - 1) if "/" in field.type else draw(VALUES[field.type])

        if not field.name:
            made |= {key: value for key, value in one().items() if key not in made}
        elif field.flags == "r":
            made[field.name] = [one() for _ in range(draw(st.integers(1, 2)))]
        elif field.flags == "m":
            made[field.name] = {draw(st.text(max_size=3)): one() for _ in range(draw(st.integers(1, 2)))}
        elif (value := one()) or field.flags != "z":
            made[field.name] = value
    return made


@given(st.data())
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
def test_any_object_of_any_kind_comes_back(data):
    roots = protobuf._table()[0]
    root = data.draw(st.sampled_from([root for root in roots if not root.startswith(" ")]))
    api_version, kind = root.split(" ")
    obj = {"apiVersion": api_version, "kind": kind, **made_of(data.draw, roots[root], 3)}
    assert protobuf.decode(encode(obj)) == obj


def test_whatever_is_cut_or_bent_is_refused_in_words():
    whole = encode(POD)
    for end in range(4, len(whole)):
        refused_or_read(whole[:end])
    for place in range(4, len(whole)):
        for bent in (0x00, 0x7F, 0xFF, whole[place] ^ 1):
            refused_or_read(whole[:place] + bytes([bent]) + whole[place + 1 :])


def refused_or_read(raw: bytes) -> None:
    try:
        json.dumps(protobuf.decode(raw))
    except ApiError as refused:
        assert (refused.code, refused.reason) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{}", "four bytes"),
        (envelope("v1", "Pod", b"\x0a\x05ab"), "in the middle of a field"),
        (envelope("v1", "Pod", b"\xff" * 11), "more than ten bytes"),
        (envelope("v1", "Pod", b"\x08\x01"), "a number where a text or a message belongs"),
        (envelope("v1", "Pod", b"\x0a\x03\x0a\x01\xff"), "not UTF-8"),
        (envelope("v1", "Pod", b"\x0b"), "wire type 3"),
        (envelope("v7", "Podd", b""), 'no kind "Podd" is registered for version "v7"'),
        (protobuf.MAGIC, 'no kind "" is registered for version ""'),
        (protobuf.MAGIC + b"\x1a\x04gzip", "'gzip' is not supported"),
    ],
)
def test_what_cannot_be_read_says_why(raw, words):
    with pytest.raises(ApiError, match=words) as refused:
        protobuf.decode(raw)
    assert refused.value.code == 400


def test_fields_of_a_newer_client_are_skipped():
    newer = b"\x0a\x05\x0a\x03web" + b"\xba\x3e\x02hi" + b"\xc0\x3e\x07" + b"\xc5\x3e\x01\x02\x03\x04"
    assert protobuf.decode(envelope("v1", "Pod", newer)) == {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
    }  # fmt: skip


CREATED = [
    ("deployment", "web", "--image=nginx", "--replicas=0", "--port=80"),
    ("configmap", "settings", "--from-literal=a=1", "--from-literal=b="),
    ("secret", "generic", "keys", "--from-literal=a=1"),
    ("secret", "docker-registry", "registry", "--docker-username=u", "--docker-password=p", "--docker-server=s"),
    ("service", "clusterip", "web", "--tcp=80:8080"),
    ("service", "nodeport", "port", "--tcp=80:8080", "--node-port=30080"),
    ("service", "externalname", "other", "--external-name=example.org"),
    ("ingress", "web", "--rule=a.example/x*=web:80"),
    ("namespace", "blue"),
]


@pytest.mark.parametrize("words", CREATED, ids=lambda words: "-".join(words[:2]))
def test_what_kubectl_creates_in_protobuf_is_what_it_would_have_created_in_json(k, words):  # noqa: F811
    in_json = k.run("create", *words, "--dry-run=client", "-o", "json")
    expected = yaml.safe_load(k.run("create", "-f", "-", "--dry-run=server", "-o", "yaml", stdin=in_json))
    k.run("create", *words)
    made = yaml.safe_load(k.run("get", expected["kind"], expected["metadata"]["name"], "-o", "yaml"))
    for told in (made, expected):
        for own in ("uid", "creationTimestamp", "resourceVersion"):
            told["metadata"].pop(own, None)
        for own in ("clusterIP", "clusterIPs"):
            told.get("spec", {}).pop(own, None)
    assert made == expected
