"""Lessons 1 to 3 on a running lab: the same bank in one program and as services, broken in the same place."""

import json
import secrets
import urllib.error
import urllib.request

import pytest
import yaml

from lab import demos

from ..labs import LabUnderTest, wait_until

ROUTES = ("/", "/accounts", "/accounts/anna", "/loans", "/payments")
APPS = "/apis/apps/v1/namespaces"


class Bank:
    """One shape of the bank in a namespace of its own, seen through the lab's front door."""

    def __init__(self, lab: LabUnderTest, shape: str, front: str):
        self.lab = lab
        self.front = front
        self.namespace = f"{shape}-{secrets.token_hex(3)}"
        lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        paths = {"Deployment": "/apis/apps/v1", "Service": "/api/v1", "PersistentVolumeClaim": "/api/v1"}
        for each in yaml.safe_load_all(demos.MANIFESTS[shape].read_text()):
            if prefix := paths.get(each["kind"]):  # no visitors: here the tests are the only ones
                lab.api("POST", f"{prefix}/namespaces/{self.namespace}/{each['kind'].lower()}s", each)
        wait_until("all of the bank to answer", lambda: self.statuses(ROUTES) == [200] * len(ROUTES), 120)

    def ask(self, path: str, method: str = "GET", body: dict | None = None, **headers: str) -> tuple[int, str]:
        """(status, body); 0 if nobody answers at all."""
        door = self.lab.run()["front_door"]
        request = urllib.request.Request(door.rstrip("/") + path, method=method, headers=headers)
        request.add_header("Host", f"{self.front}.{self.namespace}.default.localhost")
        data = json.dumps(body).encode() if body is not None else None
        try:
            with urllib.request.urlopen(request, data, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def statuses(self, routes) -> list[int]:
        return [self.ask(route)[0] for route in routes]

    def pods(self, app: str = "") -> list[dict]:
        pods = self.lab.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return [pod for pod in pods if not app or pod["metadata"]["labels"]["app"] == app]

    def uids(self, app: str = "") -> set[str]:
        return {pod["metadata"]["uid"] for pod in self.pods(app)}

    def restarts(self, app: str) -> int:
        return sum(status["restartCount"] for pod in self.pods(app) for status in pod["status"]["containerStatuses"])

    def log(self, pod: dict) -> list[dict]:
        path = f"/clusters/default/api/v1/namespaces/{self.namespace}/pods/{pod['metadata']['name']}/log"
        with urllib.request.urlopen(self.lab.address + path, timeout=30) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]

    def patch(self, app: str, **container: object) -> None:
        """Change something of a Deployment's container."""
        spec = {"template": {"spec": {"containers": [{"name": app, **container}]}}}
        kind = "application/strategic-merge-patch+json"
        self.lab.api("PATCH", f"{APPS}/{self.namespace}/deployments/{app}", {"spec": spec}, content_type=kind)

    def rolled_out(self, app: str, image: str) -> bool:
        found = self.lab.get(f"{APPS}/{self.namespace}/deployments/{app}")
        status, wanted = found["status"], found["spec"]["replicas"]
        current = status.get("observedGeneration") == found["metadata"]["generation"]
        counts = [status.get(field) for field in ("replicas", "updatedReplicas", "availableReplicas")]
        shown = found["spec"]["template"]["spec"]["containers"][0]["image"] == image
        return current and shown and counts == [wanted] * 3 and len(self.pods(app)) == wanted

    def close(self) -> None:
        self.lab.api("DELETE", f"/api/v1/namespaces/{self.namespace}")
        wait_until("the bank to be gone", lambda: self.lab.get(f"/api/v1/namespaces/{self.namespace}") is None, 60)


@pytest.fixture(scope="module")
def monolith(process_lab):
    bank = Bank(process_lab, "monolith", "bank")
    yield bank
    bank.close()


@pytest.fixture(scope="module")
def services(process_lab):
    bank = Bank(process_lab, "services", "ui")
    yield bank
    bank.close()


def test_broken_loans_take_the_whole_monolith_down(monolith):
    """Lesson 1: every route fails, even the page that would say sorry."""
    monolith.patch("bank", env=[{"name": "FAULTS", "value": "loans:crash"}])
    # Each visitor of loans ends it; it is restarted, later and later.
    wait_until("no route to answer", lambda: 200 not in monolith.statuses(ROUTES), 90)
    assert monolith.restarts("bank") > 0
    monolith.patch("bank", env=[{"name": "FAULTS", "value": ""}])
    wait_until("all of it to be back", lambda: monolith.statuses(ROUTES) == [200] * len(ROUTES), 90)


def test_a_release_of_the_monolith_restarts_all_of_it(monolith):
    before = monolith.uids()
    monolith.patch("bank", image="orrery/bank:v2")
    wait_until("the release", lambda: monolith.rolled_out("bank", "orrery/bank:v2"), 90)
    assert not before & monolith.uids()


def test_broken_loans_take_only_loans_from_the_services(services):
    """Lesson 2: accounts answer, the page says what is away, and only one container is restarted."""
    others = {app: services.restarts(app) for app in ("ui", "accounts", "payments", "storage")}
    services.patch("loans", env=[{"name": "FAULTS", "value": "crash"}])
    wait_until("loans to crash when it is asked", lambda: services.ask("/loans")[0] == 503, 60)
    answers = [services.ask("/accounts/anna") for _ in range(10)]
    assert [status for status, _ in answers] == [200] * 10
    assert any(json.loads(text).get("missing") == "loans is away" for _, text in answers)
    page = wait_until("the page to say it", lambda: (p := services.ask("/")[1]) and "loans is away just now" in p and p)
    assert "Anna Berg" in page
    assert services.restarts("loans") > 0
    assert {app: services.restarts(app) for app in others} == others
    services.patch("loans", env=[{"name": "FAULTS", "value": ""}])
    wait_until("loans to be back", lambda: services.rolled_out("loans", "orrery/bank-loans:v1"), 90)
    assert services.ask("/loans")[0] == 200


def test_a_release_of_one_service_changes_no_other(services):
    others = {app: services.uids(app) for app in ("accounts", "loans", "payments", "storage")}
    services.patch("ui", image="orrery/bank-ui:v2")
    wait_until("the release", lambda: services.rolled_out("ui", "orrery/bank-ui:v2"), 90)
    assert {app: services.uids(app) for app in others} == others
    assert "ui v2" in services.ask("/")[1]


def test_another_storage_behind_the_same_contract_is_noticed_by_nobody(services):
    """Lesson 2: one file is swapped for a journal while accounts are asked; what was paid stays paid."""
    before = {app: services.uids(app) for app in ("ui", "accounts", "payments")}
    assert services.ask("/payments", "POST", {"from": "chen", "to": "dora", "amount": 100, "id": "kept"})[0] == 201
    services.patch("storage", image="orrery/bank-storage:v2")
    statuses = []

    def swapped() -> bool:
        statuses.append(services.ask("/accounts")[0])
        return services.rolled_out("storage", "orrery/bank-storage:v2")

    wait_until("the other storage", swapped, 90)
    assert set(statuses) == {200}
    assert '"kept"' in services.ask("/payments")[1]
    assert {app: services.uids(app) for app in before} == before


def test_one_request_is_followed_through_the_logs_of_five_services_by_its_id(services):
    """Lesson 3. A payment goes through ui, payments, accounts and storage; the page asks loans too."""
    mark = f"follow-{secrets.token_hex(4)}"
    paid = services.ask("/payments", "POST", {"from": "anna", "to": "ben", "amount": 1}, **{"X-Request-Id": mark})
    assert paid[0] == 201, paid
    assert services.ask("/accounts/anna", **{"X-Request-Id": mark})[0] == 200

    def parts() -> set[str]:
        return {
            line["service"] for pod in services.pods() for line in services.log(pod) if line.get("request_id") == mark
        }

    wait_until("its lines in all logs", lambda: parts() == set(demos.BANK_PARTS))
    address = f"{services.lab.address}/clusters/default/board/drawer/requests/{services.namespace}/{mark}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        drawn = answer.read().decode()
    assert "ui → payments → " in drawn and all(f">{part}</button>" in drawn for part in demos.BANK_PARTS)


def test_a_circuit_breaker_keeps_slow_loans_from_making_accounts_slow(services):
    """Lesson 3: accounts waits for loans, until it stops asking."""
    services.patch("accounts", env=[{"name": "BREAKER", "value": "on"}])
    wait_until("accounts with a breaker", lambda: services.rolled_out("accounts", "orrery/bank-accounts:v1"), 90)
    assert services.ask("/faults?part=loans&slow=700", "POST")[0] == 200

    def breaker() -> dict:
        """Of one of the two accounts: three requests a turn, so that they take turns in what they are asked."""
        services.statuses(["/accounts/anna"] * 2)
        return json.loads(services.ask("/breaker?part=accounts")[1])["towards"]["loans"]

    wait_until("a breaker to be open", lambda: breaker()["state"] == "open", 60)
    answers = [json.loads(services.ask("/accounts/anna")[1]) for _ in range(4)]
    assert any(answer.get("missing") == "loans is away" for answer in answers)
