"""Who is let in at which port, and as whom."""

import json
import socket
import ssl
import time

import jwt
import pytest
from django.conf import settings
from wsproto import ConnectionType
from wsproto.events import RejectConnection, Request

from lab.apimachinery.kinds import PODS, SERVICEACCOUNTS
from lab.apiserver.access import tokens
from lab.apiserver.access.user import MASTERS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.management import pki

from ..websockets import Wire
from .conftest import pod
from .secured import READ_PODS, ROBOT, Secured, add_robot, grant

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
TOKEN = "/api/v1/namespaces/default/serviceaccounts/robot/token"
PODS_PATH = "/api/v1/namespaces/default/pods"
UNAUTHORIZED = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "Unauthorized",
    "reason": "Unauthorized",
    "code": 401,
}


@pytest.fixture
def tls(api, tls_server) -> Secured:
    return Secured(tls_server)


@pytest.fixture
def client(api) -> Client:
    return Client("default", "test")


def a_token(api, **spec) -> str:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return api.create(TOKEN, body)["status"]["token"]


def user_info(reply) -> dict:
    assert reply.code == 201, reply.raw
    return reply.json["status"]["userInfo"]


def test_at_the_plain_port_everybody_is_the_machines_own_user(api):
    told = user_info(api.ask("POST", WHOAMI, REVIEW, Content_Type="application/json"))
    assert told == {"username": "kubernetes-admin", "groups": [MASTERS, "system:authenticated"]}


def test_at_the_tls_port_one_must_say_who_one_is(tls):
    for path in ("/api/v1/nodes", "/version", "/api", "/openapi/v3"):
        reply = tls.ask("GET", path)
        assert (reply.code, reply.json) == (401, UNAUTHORIZED)
    assert tls.ask("GET", "/version", Authorization="Basic YTpi").code == 401
    assert tls.ask("GET", "/version", X_Forwarded_Proto="http", X_Forwarded_For="127.0.0.1").code == 401


def test_a_certificate_names_a_user_and_the_groups(tls):
    told = user_info(tls.ask("POST", WHOAMI, REVIEW, user=("kubernetes-admin", MASTERS)))
    assert told == {"username": "kubernetes-admin", "groups": [MASTERS, "system:authenticated"]}
    assert tls.ask("GET", "/api/v1/nodes", user=("kubernetes-admin", MASTERS)).code == 200
    assert tls.ask("GET", "/api/v1/nodes", user=("jane", "developers")).code == 403


def test_a_certificate_that_a_browser_holds_is_of_no_use_to_pages_of_other_sites(tls):
    def code(**who) -> int:
        return tls.ask("GET", "/version", **who).code

    admin = {"user": ("jane", "system:masters")}
    assert [code(**admin, Origin=origin) for origin in ("http://localhost:8001", "http://[::1]:1")] == [200, 200]
    assert [code(**admin, Origin=origin) for origin in ("https://evil.example", "null")] == [403, 403]
    assert code(**admin, Sec_Fetch_Site="cross-site") == 403
    assert code(Origin="https://headlamp.example") == 401  # who shows nothing by itself may still show a token


def test_a_certificate_of_another_authority_opens_nothing(tls, tmp_path):
    pki.prepare(tmp_path / "pki", ["127.0.0.1"])
    certificate, key = pki.client_certificate(tmp_path / "pki", "kubernetes-admin", (MASTERS,))
    (tmp_path / "client.pem").write_bytes(certificate + key)
    context = ssl.create_default_context(cafile=settings.PKI_DIR / "ca.crt")
    context.load_cert_chain(tmp_path / "client.pem")
    raw = socket.create_connection(("127.0.0.1", tls.port))
    # As of TLS 1.3 the client learns of it only when it reads.
    with pytest.raises((ssl.SSLError, ConnectionError)), context.wrap_socket(raw, server_hostname="127.0.0.1") as wire:
        wire.sendall(b"GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert wire.recv(65536) == b"", "somebody answered"
        raise ConnectionResetError


def test_a_token_is_its_service_accounts(api, tls, client):
    account = add_robot(client, READ_PODS)
    token = a_token(api)
    told = user_info(tls.ask("POST", WHOAMI, REVIEW, token=token))
    jti = jwt.decode(token, options={"verify_signature": False})["jti"]
    assert told == {
        "username": ROBOT,
        "uid": account["metadata"]["uid"],
        "groups": ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": [f"JTI={jti}"]},
    }
    assert tls.ask("GET", PODS_PATH, token=token).code == 200
    assert tls.ask("GET", PODS_PATH, token=token[:-6] + "AAAAAA").json == UNAUTHORIZED


def test_a_token_lasts_as_long_as_it_was_asked_for(api, client, monkeypatch):
    add_robot(client)
    made = api.create(TOKEN, {"spec": {"expirationSeconds": 1200, "audiences": ["vault"]}})
    claims = jwt.decode(made["status"]["token"], options={"verify_signature": False})
    assert (claims["exp"] - claims["iat"], claims["aud"], claims["sub"]) == (1200, ["vault"], ROBOT)
    assert made["spec"]["expirationSeconds"] == 1200
    short = api.ask("POST", TOKEN, {"spec": {"expirationSeconds": 60}})
    assert (short.code, short.json["message"]) == (
        422,
        'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify '
        "a duration less than 10 minutes",
    )
    assert api.ask("POST", TOKEN.replace("robot", "nobody"), {}).json["message"] == 'serviceaccounts "nobody" not found'
    assert api.ask("POST", TOKEN, {"spec": {"expirationSeconds": "long"}}).code == 400


def test_a_token_that_has_run_out_or_is_for_others_opens_nothing(api, tls, client):
    add_robot(client, READ_PODS)
    assert tls.ask("GET", PODS_PATH, token=a_token(api, audiences=["vault"])).code == 401
    claims = jwt.decode(a_token(api), options={"verify_signature": False})
    old = jwt.encode(claims | {"exp": int(time.time()) - 1}, tokens._key(), tokens.ALGORITHM)
    assert tls.ask("GET", PODS_PATH, token=old).code == 401
    unsigned = jwt.encode(claims, None, "none")
    assert tls.ask("GET", PODS_PATH, token=unsigned).code == 401


def test_a_token_ends_with_its_account_even_if_another_takes_its_name(api, tls, client):
    add_robot(client, READ_PODS)
    token = a_token(api)
    client.delete(SERVICEACCOUNTS, "default", "robot")
    assert tls.ask("GET", PODS_PATH, token=token).code == 401
    add_robot(client)
    assert tls.ask("GET", PODS_PATH, token=token).code == 401


def test_a_token_may_end_with_a_pod(api, tls, client):
    add_robot(client, READ_PODS)
    client.create(PODS, pod("web-1") | {"metadata": {"name": "web-1", "namespace": "default"}})
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "web-1"}
    other = api.ask("POST", TOKEN, {"spec": {"boundObjectRef": bound}})
    assert (other.code, "different serviceaccount name" in other.json["message"]) == (400, True)
    spec = pod("web-2")["spec"] | {"serviceAccountName": "robot"}
    made = client.create(PODS, {"metadata": {"name": "web-2", "namespace": "default"}, "spec": spec})
    token = a_token(api, boundObjectRef=bound | {"name": "web-2", "uid": made["metadata"]["uid"]})
    extra = user_info(tls.ask("POST", WHOAMI, REVIEW, token=token))["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["web-2"]
    client.delete(PODS, "default", "web-2", grace_seconds=0)
    assert tls.ask("GET", PODS_PATH, token=token).code == 401


def test_a_token_of_one_cluster_opens_no_other(api, tls, client):
    add_robot(client, READ_PODS)
    ensure_cluster("other")
    add_robot(Client("other", "test"), READ_PODS)
    assert Secured(tls.port, "other").ask("GET", PODS_PATH, token=a_token(api)).code == 401


def test_a_token_can_be_reviewed(api, client):
    add_robot(client)
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    status = api.create(path, {"spec": {"token": a_token(api, audiences=["vault"]), "audiences": ["vault", "x"]}})[
        "status"
    ]
    assert (status["authenticated"], status["user"]["username"], status["audiences"]) == (True, ROBOT, ["vault"])
    status = api.create(path, {"spec": {"token": "nonsense"}})["status"]
    assert status["user"] == {} and "invalid bearer token" in status["error"]


def test_the_board_is_not_at_the_tls_port(api, tls):
    admin = ("kubernetes-admin", MASTERS)
    for path in ("/", "/clusters/default/", "/clusters/default/ship", "/clusters/default/images.json"):
        assert tls.ask("GET", path, base="", user=admin).code == 404
    assert tls.ask("POST", "/clusters/default/board/do/scale", {}, base="", user=admin).code == 404
    wire = dial(tls)
    origin = [(b"origin", f"https://127.0.0.1:{tls.port}".encode())]
    wire.send(Request(host=f"127.0.0.1:{tls.port}", target="/clusters/default/board", extra_headers=origin))
    assert isinstance(wire.next(), RejectConnection)
    wire.socket.close()


def dial(tls: Secured) -> Wire:
    context = ssl.create_default_context(cafile=settings.PKI_DIR / "ca.crt")
    raw = socket.create_connection(("127.0.0.1", tls.port))
    return Wire(context.wrap_socket(raw, server_hostname="127.0.0.1"), ConnectionType.CLIENT)


def test_a_stream_too_asks_who_is_there_and_whether_they_may(api, tls, client):
    add_robot(client, READ_PODS)
    client.create(PODS, pod("web-1") | {"metadata": {"name": "web-1", "namespace": "default"}})
    path = f"/clusters/default{PODS_PATH}/web-1/exec?command=true"

    def answer(**headers: str) -> dict:
        wire = dial(tls)
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]
        wire.send(Request(host=f"127.0.0.1:{tls.port}", target=path, extra_headers=extra))
        assert isinstance(wire.next(), RejectConnection)
        body = b""
        while not (piece := wire.next()).body_finished:
            body += piece.data
        wire.socket.close()
        return json.loads(body + piece.data)

    assert answer()["code"] == 401
    bearer = {"authorization": f"Bearer {a_token(api)}"}
    assert answer(**bearer)["message"] == (
        f'pods "web-1" is forbidden: User "{ROBOT}" cannot create resource "pods/exec" in API group "" in the '
        'namespace "default"'
    )
    grant(client, "robot", [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}], "executor")
    assert answer(**bearer)["message"] == "pod web-1 does not have a host assigned"


def test_one_may_speak_for_others_if_one_is_allowed_to(api, tls, client):
    told = user_info(api.ask("POST", WHOAMI, REVIEW, Impersonate_User="jane", Impersonate_Group="developers"))
    assert told == {"username": "jane", "groups": ["developers", "system:authenticated"]}
    told = user_info(api.ask("POST", WHOAMI, REVIEW, Impersonate_User=ROBOT))
    assert told["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
    assert api.ask("GET", PODS_PATH, Impersonate_User="jane").code == 403
    refused = tls.ask("GET", "/version", user=("jane",), Impersonate_User="kubernetes-admin")
    assert (refused.code, refused.json["message"]) == (
        403,
        'users "kubernetes-admin" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the '
        "cluster scope",
    )
    assert tls.ask("GET", "/version", user=("jane",), Impersonate_Group=MASTERS).code == 500
    masters = tls.ask("GET", "/version", user=("jane",), Impersonate_User="x", Impersonate_Group=MASTERS)
    assert masters.code == 403


def test_the_log_says_who_wrote_it(api, tls, client):
    add_robot(client, [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}])
    path = "/api/v1/namespaces/default/configmaps"
    assert tls.ask("POST", path, {"metadata": {"name": "note"}}, token=a_token(api)).code == 201
    row = client.written_by(client.view().get("configmaps", "default", "note")["metadata"]["resourceVersion"])
    assert row["author"] == ROBOT


def test_without_a_base_path_a_token_says_which_cluster_is_meant(tls, client):
    ensure_cluster("other")
    other = Client("other", "test")
    add_robot(other, READ_PODS)
    other.create(PODS, pod("far") | {"metadata": {"name": "far", "namespace": "default"}})
    token = other.create_token("default", "robot", {})["token"]
    found = tls.ask("GET", PODS_PATH, token=token, base="", Host="kubernetes.default.svc")
    assert (found.code, [one["metadata"]["name"] for one in found.json["items"]]) == (200, ["far"])
    header, payload, signature = token.split(".")
    assert tls.ask("GET", PODS_PATH, token=f"{header}.{payload}.{signature[:-8]}AAAAAAAA", base="").code == 401
    assert tls.ask("GET", PODS_PATH, token="nonsense", base="").code == 401
    assert tls.ask("GET", PODS_PATH, base="").code == 401
