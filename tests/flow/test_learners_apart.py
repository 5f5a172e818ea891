"""Two learners in one room, on real containers. One of them does what they should not, and the other notices nothing.

What a learner's pod could reach and do before there was a guard, and what it can now (`ROUTES`, `ORDERS`, `DAYS`):

| It wants | Before | Now |
|---|---|---|
| another's pods, or the API at another's network | pods no, the API's port yes | no |
| what this machine offers on all its addresses | yes | no, but for the API on its own network |
| the internet, the local network | yes | no |
| the lab's own ports, the broker, the engine's socket | no: they are on the loopback | no |
| privileged, the host's network, processes, IPC | refused | refused |
| a folder of its node, a port of this machine, capabilities of Docker's own | yes | refused |
| any image of any registry | yes | refused |
| memory, processor | as its node has, 8 GiB and 4 cores | 512 MiB and one core, 2 GiB for all |
| processes | 512 a container | 100 a container |
| disk | no limit | no layer of its own; memory at /tmp; 64 MiB a file; 128 MiB an emptyDir or a claim |
| a log without end | 10 MB | 2 MB |
| the machine, by the front door and a slice that says so | the plain port, and all on 0.0.0.0 | no |
| another's requests, by an Ingress with the name of their Service | yes | no |
"""

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import docker
import pytest

from ..labs import PATIENCE, LabUnderTest, wait_until
from .room import Browser, made, teacher_of

PODS, NODES = "/api/v1/namespaces/default/pods", "/api/v1/nodes"
CLAIMS, EVENTS = (f"/api/v1/namespaces/default/{kind}" for kind in ("persistentvolumeclaims", "events"))
CLAIM = {
    "metadata": {"name": "kept"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
NEIGHBOURS = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
QUICK_SECONDS = 3.0  # within which the other learner is answered, whatever happens; on a quiet machine in hundredths


@dataclass
class Learner:
    root: str
    cluster: str
    seat: str

    def ask(self, method: str, path: str, body: dict | None = None) -> str:
        """Raises urllib.error.HTTPError."""
        request = urllib.request.Request(f"{self.root}clusters/{self.cluster}{path}", method=method)
        request.add_header("Cookie", f"orrery-seat={self.seat}")
        request.add_header("Content-Type", "application/json")
        data = json.dumps(body).encode() if body is not None else None
        return urllib.request.urlopen(request, data, timeout=60).read().decode()

    def refusal(self, body: dict) -> dict:
        with pytest.raises(urllib.error.HTTPError) as refused:
            self.ask("POST", f"{PODS}?dryRun=All", body)
        return json.load(refused.value)

    def run(self, name: str, script: str, **container) -> None:
        self.ask("POST", PODS, pod(name, script, **container))

    def status(self, name: str) -> dict:
        return json.loads(self.ask("GET", f"{PODS}/{name}"))["status"]

    def said(self, name: str) -> str:
        return self.ask("GET", f"{PODS}/{name}/log")

    def ended(self, name: str) -> dict:
        """The pod's status, once it has ended."""
        return wait_until(
            f"{name} to end",
            lambda: (s := self.status(name)).get("phase") in ("Succeeded", "Failed") and s,
            40,
        )


def pod(name: str, script: str = "pass", spec: dict | None = None, **container) -> dict:
    own = {"name": "c", "image": "orrery/hello:v1", "command": ["python3", "-u", "-c", script], **container}
    how = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [own], **(spec or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": how}


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Iterator[LabUnderTest]:
    lab = LabUnderTest(tmp_path_factory.mktemp("apart") / "data", "docker", "--room", "127.0.0.1")
    try:
        yield lab.start()
    finally:
        lab.clean_up()


@pytest.fixture(scope="module")
def teacher(room) -> Browser:
    return teacher_of(room)


def joins(root: str, code: str, number: int, name: str) -> Learner:
    browser = Browser(root)
    browser.post("join", code=code, nickname=name)
    return Learner(root, f"{code.lower()}-{number}", browser.cookie("orrery-seat"))


@pytest.fixture(scope="module")
def class_of_two(teacher) -> tuple[Learner, Learner]:
    code = made(teacher, "10-desired-state")
    ada, eve = (joins(teacher.root, code, number, name) for number, name in ((1, "Ada"), (2, "Eve")))
    ada.run("calm", "import http.server as h; h.HTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()")
    wait_until("Ada's pod to run", lambda: ada.status("calm").get("phase") == "Running", 60)
    return ada, eve


@pytest.fixture
def calm(class_of_two) -> Iterator[None]:
    """Ada goes on working: she is answered soon each time, her pod goes on, and another starts in the middle of it."""
    ada, _ = class_of_two
    slowest, over, number = [0.0], threading.Event(), next(_numbers)

    def work() -> None:
        while not over.is_set():
            began = time.monotonic()
            ada.ask("GET", PODS)
            slowest[0] = max(slowest[0], time.monotonic() - began)
            over.wait(0.2)

    before = goes_on(ada)
    at_work = threading.Thread(target=work)
    at_work.start()
    try:
        yield
        ada.run(f"another-{number}", "print('done')")
        assert ada.ended(f"another-{number}")["phase"] == "Succeeded"
    finally:
        over.set()
        at_work.join()
    assert goes_on(ada) == before
    assert slowest[0] < QUICK_SECONDS * PATIENCE


_numbers = count()


def goes_on(ada: Learner) -> tuple:
    """What is the same as long as nothing has happened to her pod."""
    status = ada.status("calm")["containerStatuses"][0]
    return status["containerID"], status["restartCount"], status["ready"], *status["state"]


REACH = """
import socket, concurrent.futures as f
def reach(place):
    try:
        with socket.create_connection(place, 1.5): return "open"
    except OSError: return "closed"
places = %s
while reach(places[0]) != "open": pass  # a network that is new has no Services for a moment
with f.ThreadPoolExecutor(40) as pool: print(dict(zip(map(str, places), pool.map(reach, places))))
try: print(socket.gethostbyname("example.com"))
except OSError: print("no names from outside")
print(socket.gethostbyname("kubernetes.default.svc"), open("/proc/self/status").read().split("CapEff:")[1].split()[0])
import os
print([d for d in ("/var/run/docker.sock", "/dev/kmsg", "/dev/mem", "/dev/sda") if os.path.exists(d)])
"""


def notes_of_a_node(learner: Learner) -> dict:
    """Where everything is, once a node says so."""
    nodes = json.loads(learner.ask("GET", "/api/v1/nodes"))["items"]
    notes = [node["metadata"].get("annotations", {}) for node in nodes]
    return next((each for each in notes if {"orrery.io/api-server", "orrery.io/kubelet"} <= each.keys()), {})


def own_address() -> str:
    """This machine's own, towards the rest of the world."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.connect(("198.51.100.1", 9))
        return trial.getsockname()[0]


def test_the_kernel_keeps_places_for_the_neighbours_of_a_whole_class(class_of_two):
    wait_until("the table to be large", lambda: int(NEIGHBOURS.read_text()) >= 60 * 8 * 2 * 2, 40)


def test_a_port_scanner_finds_nothing_but_the_api_of_its_own_cluster(room, class_of_two, calm):
    ada, eve = class_of_two
    target = ada.status("calm")["podIP"]
    notes = wait_until("Eve's network", lambda: notes_of_a_node(eve), 40)
    ours, theirs = notes["orrery.io/api-server"].partition(":")[0], ".".join([*target.split(".")[:2], "0.1"])
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        port = everywhere.getsockname()[1]
        machines = (ours, theirs, own_address())
        for machine in machines:
            socket.create_connection((machine, port), 2).close()  # it is there
        kubelet = int(notes["orrery.io/kubelet"].rpartition(":")[2])
        forbidden = [
            *((target, 8080), (theirs, 6443), (theirs.removesuffix("1") + "3", 7070)),
            *((machine, each) for machine in machines for each in (port, room.port, kubelet, 2375)),
            *((own_address(), 22), ("1.1.1.1", 443), ("169.254.169.254", 80), ("127.0.0.1", room.port)),
        ]
        eve.run("scan", REACH % [("10.96.0.1", 443), (ours, 6443), *forbidden])
        assert eve.ended("scan")["phase"] == "Succeeded"
    found, *rest = eve.said("scan").splitlines()
    routes = {"('10.96.0.1', 443)": "open", f"('{ours}', 6443)": "open", **{str(each): "closed" for each in forbidden}}
    assert eval(found) == routes
    assert rest == ["no names from outside", "10.96.0.1 0000000000000000", "[]"]


ORDERS = {
    "a privileged container": pod("x", securityContext={"privileged": True}),
    "the host's network": pod("x", spec={"hostNetwork": True}),
    "the host's processes": pod("x", spec={"hostPID": True}),
    "the host's memory": pod("x", spec={"hostIPC": True}),
    "the host's files": pod("x", spec={"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
    "the host's port": pod("x", ports=[{"containerPort": 80, "hostPort": 80}]),
    "power over the kernel": pod("x", securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}),
    "raw packets": pod("x", securityContext={"capabilities": {"add": ["NET_RAW"]}}),
    "any image": pod("x", image="elsewhere.example/miner:latest"),
}


def test_what_nobody_may_have_is_refused_in_words(class_of_two):
    for what, order in ORDERS.items():
        refusal = class_of_two[1].refusal(order)
        assert refusal["kind"] == "Status" and refusal["code"] in (403, 422) and refusal["details"]["causes"], what


FORKS = """
import os, time
made = 0
while True:
    try: pid = os.fork()
    except OSError: break
    if not pid: time.sleep(60); os._exit(0)
    made += 1
print(made)
"""
FILLS = """
import errno
for folder in ("/", "/app", "/tmp", "/var/tmp", "/scratch"):
    written = 0
    try:
        with open(folder + "/big", "wb", 0) as file:
            while written < 1 << 30: written += file.write(b"x" * (1 << 20))
    except OSError as error: print(folder, written >> 20, errno.errorcode[error.errno])
"""
FLOODS = """
for number in range(1000):
    with open(f"/scratch/{number}", "wb", 0) as file:
        for _ in range(32): file.write(b"x" * (1 << 20))
import time; time.sleep(60)
"""
SIGNALS = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
MINES = "import os\nfor _ in range(7):\n    if not os.fork(): break\nwhile True: pass"
TALKS = "while True: print('x' * 10000)"


def test_a_bomb_a_hog_a_filler_a_miner_and_a_talker_at_once(class_of_two, calm):
    _, eve = class_of_two
    eve.run("bomb", FORKS)
    eve.run(
        "hog",
        "kept = []\nwhile True: kept.append(bytearray(b'x' * (16 << 20)))",
        resources={"limits": {"memory": "4Gi"}},
    )
    scratch = {"volumes": [{"name": "scratch", "emptyDir": {}}]}
    for name, script in (("filler", SIGNALS + FILLS), ("flooder", FLOODS)):
        eve.run(name, script, spec=scratch, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}])
    eve.ask("POST", CLAIMS, CLAIM)
    kept = {"volumes": [{"name": "scratch", "persistentVolumeClaim": {"claimName": "kept"}}]}
    eve.run("hoarder", FLOODS, spec=kept, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}])
    for name, script in (("miner", MINES), ("talker", TALKS)):
        eve.run(name, script)
    assert eve.ended("hog")["containerStatuses"][0]["state"]["terminated"]["reason"] == "OOMKilled"
    assert eve.ended("bomb")["phase"] == "Succeeded" and 0 < int(eve.said("bomb")) < 100
    assert eve.ended("filler")["phase"] == "Succeeded"
    assert eve.said("filler").splitlines() == [
        *("/ 0 EROFS", "/app 0 EROFS", "/tmp 64 EFBIG", "/var/tmp 64 EFBIG", "/scratch 64 EFBIG"),
    ]
    flooded = eve.ended("flooder")
    assert (
        flooded["reason"] == "Evicted" and 'EmptyDir volume "scratch" exceeds the limit "128Mi"' in flooded["message"]
    )
    hoarded = eve.ended("hoarder")
    assert hoarded["reason"] == "Evicted" and 'claim "kept" exceeds the limit "128Mi"' in hoarded["message"]
    eve.run("heir", spec=kept, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}], script="pass")
    wait_until("the full volume to be refused", lambda: "make another" in eve.ask("GET", EVENTS), 40)
    held = held_by_the_engine(eve, "miner")
    assert held["CpuQuota"] <= held["CpuPeriod"] and held["Memory"] == held["MemorySwap"] == 256 << 20
    for name in ("miner", "talker"):
        eve.ask("DELETE", f"{PODS}/{name}?gracePeriodSeconds=0")


def held_by_the_engine(learner: Learner, name: str) -> dict:
    """The HostConfig of a pod's container."""
    wait_until(f"{name} to begin", lambda: learner.status(name).get("phase") not in (None, "Pending"), 40)
    assert learner.status(name)["phase"] == "Running", learner.status(name)
    id = learner.status(name)["containerStatuses"][0]["containerID"].partition("://")[2]
    with docker.APIClient() as client:
        return client.inspect_container(id)["HostConfig"]


def test_someone_elses_token_opens_nothing(room, class_of_two, calm):
    ada, eve = class_of_two
    script = """
import ssl, urllib.request, urllib.error
token = open("/var/run/secrets/kubernetes.io/serviceaccount/token").read()
context = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
for cluster in %s:
    url = "https://kubernetes.default.svc/clusters/" + cluster + "/api/v1/namespaces/default/pods"
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
    try: print(urllib.request.urlopen(request, context=context).status)
    except urllib.error.HTTPError as error: print(error.code)
"""
    eve.run("thief", script % [ada.cluster, "default", eve.cluster])
    eve.ended("thief")
    assert eve.said("thief").split() == ["401", "401", "403"]  # and its own account may nothing
    for stolen in (Learner(eve.root, ada.cluster, eve.seat), Learner(eve.root, ada.cluster, "x" * 32)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            stolen.ask("GET", PODS)
        assert refused.value.code == 403


def test_a_flood_of_requests_and_five_megabytes_are_turned_away(class_of_two, calm):
    _, eve = class_of_two
    codes = []
    for body in [{"x": "y" * (5 << 20)}, *[None] * 400]:
        try:
            eve.ask("POST" if body else "GET", PODS, body)
            codes.append(200)
        except urllib.error.HTTPError as refused:
            codes.append(refused.code)
            assert refused.code == 413 or refused.headers["Retry-After"]
        except (urllib.error.URLError, ConnectionError):
            codes.append(413)  # it was answered before all of it was sent, and hung up on
    assert codes[0] == 413 and 429 in codes and codes.index(429) > 50


SERVICES, SLICES, INGRESSES = (
    "/api/v1/namespaces/default/services",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
)


def a_service(name: str, port: int, **spec) -> dict:
    return {"metadata": {"name": name}, "spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}], **spec}}


def leads_to(learner: Learner, name: str, address: str, port: int, **endpoint) -> None:
    """A Service with a slice that is written by hand."""
    learner.ask("POST", SERVICES, a_service(name, port))
    about = {"name": name, "labels": {"kubernetes.io/service-name": name}}
    ends = {"endpoints": [{"addresses": [address], **endpoint}], "ports": [{"name": "http", "port": port}]}
    learner.ask("POST", SLICES, {"metadata": about, "addressType": "IPv4", **ends})


def behind(learner: Learner, name: str, path: str = "") -> tuple[int, str]:
    try:
        return 200, learner.ask("GET", f"{SERVICES}/{name}/proxy/{path}")
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


SERVES = "import http.server as h; h.HTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()"


def test_no_ingress_takes_what_is_asked_of_anothers_service(class_of_two):
    ada, eve = class_of_two
    eve.run("taker", SERVES)
    address = wait_until("her pod to have an address", lambda: eve.status("taker").get("podIP"), 60)
    leads_to(eve, "taker", address, 8080)
    leads_to(ada, "shop", ada.status("calm")["podIP"], 8080)
    ada.ask("POST", SERVICES, {"metadata": {"name": "db"}, "spec": {"ports": [{"name": "db", "port": 5432}]}})
    for learner, name in ((ada, "shop"), (eve, "taker")):
        wait_until(f"{name} to answer", lambda who=learner, what=name: behind(who, what)[0] == 200, 40)
    to_thief = {"service": {"name": "taker", "port": {"number": 80}}}
    paths = [{"path": path, "pathType": "Prefix", "backend": to_thief} for path in ("/", "/tmp", "/etc")]
    hosts = (*(f"{name}.default.{ada.cluster}.localhost" for name in ("shop", "db", "*")), "")
    rules = [
        {**({"host": host.removeprefix("*.default.")} if host else {}), "http": {"paths": paths}} for host in hosts
    ]
    eve.ask("POST", INGRESSES, {"metadata": {"name": "taker"}, "spec": {"rules": rules}})
    leads_to(eve, "later", address, 8080)
    wait_until("the front door to know what came after it", lambda: behind(eve, "later")[0] == 200, 20)
    assert (behind(ada, "shop", "tmp/")[0], behind(ada, "db")[0]) == (200, 404)
    logged = [eve.said("taker"), ada.said("calm")]
    assert ["/tmp/" in said for said in logged] == [False, True]


def test_probes_that_hang_keep_nobody_elses_pod_from_being_ready(class_of_two):
    ada, eve = class_of_two
    hangs = {"exec": {"command": ["python3", "-c", "import time; time.sleep(900)"]}, "timeoutSeconds": 900}
    for number in range(6):
        eve.run(f"hangs-{number}", SERVES, readinessProbe=hangs)
    wait_until("the last to run", lambda: eve.status("hangs-5").get("phase") == "Running", 60)
    time.sleep(3)
    ada.run("asked", SERVES, readinessProbe={"exec": {"command": ["python3", "-c", "pass"]}, "periodSeconds": 1})
    wait_until("Ada's to be ready", lambda: ada.status("asked").get("containerStatuses", [{}])[0].get("ready"), 30)
    for number in range(6):
        eve.ask("DELETE", f"{PODS}/hangs-{number}?gracePeriodSeconds=0")


DEPLOYMENTS, BUILDS = (
    f"/apis/{group}/namespaces/default/{kind}"
    for group, kind in (("apps/v1", "deployments"), ("orrery.io/v1", "builds"))
)


def test_what_one_builds_never_has_a_name_of_the_labs(class_of_two):
    """All see the images of an engine: who could build the next `orrery/hello` would have it run in others' pods."""
    _, eve = class_of_two
    assert built_by(eve, "own").startswith("mine/hello:v")


def built_by(learner: Learner, name: str) -> str:
    """The name of an image of theirs."""
    template = {"metadata": {"labels": {"app": name}}, "spec": pod(name)["spec"] | {"restartPolicy": "Always"}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}
    learner.ask("POST", DEPLOYMENTS, {"metadata": {"name": name}, "spec": spec})
    files = {"Dockerfile": f"FROM orrery/hello:v1\nENV WHOSE={learner.cluster}\n"}
    learner.ask("POST", BUILDS, {"metadata": {"name": name}, "spec": {"deployment": name, "files": files}})
    return wait_until(
        "the image", lambda: json.loads(learner.ask("GET", f"{BUILDS}/{name}")).get("status", {}).get("image"), 60
    )


def test_what_one_has_kept_and_built_leaves_the_engine_with_their_class(teacher, class_of_two, engine):
    _, eve = class_of_two
    code = made(teacher, "10-desired-state")
    bob = joins(teacher.root, code, 1, "Bob")
    bob.ask("POST", CLAIMS, CLAIM)
    keeps = {"volumes": [{"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}}]}
    mounted = [{"name": "kept", "mountPath": "/kept"}]
    bob.run("writer", "open('/kept/diary', 'w').write('mine')", spec=keeps, volumeMounts=mounted)
    assert bob.ended("writer")["phase"] == "Succeeded"
    his, hers = built_by(bob, "own"), built_by(eve, "kept")

    def left() -> tuple[list[str], list[str]]:
        of_cluster = {"label": [f"orrery.io/cluster={bob.cluster}"]}
        kept = [row["Name"] for row in engine.volumes(filters=of_cluster)["Volumes"] or ()]
        built = [name for row in engine.images() for name in row["RepoTags"] or () if name in (his, hers)]
        return kept, sorted(built)

    assert len(left()[0]) == 1 and left()[1] == sorted((his, hers))
    teacher.post(f"staff/workshops/{code}/delete", f"staff/workshops/{code}/", name="An evening")
    wait_until("nothing of his to be left", lambda: left() == ([], [hers]), 60)


def test_no_service_leads_to_the_machine_by_the_front_door(room, class_of_two, calm):
    """The front door asks from the machine, where no firewall stands; at the plain port it would be master. Whoever is
    administrator of a cluster can write slices, nodes and statuses, and delete all that says where a network is."""
    _, eve = class_of_two
    ours = wait_until("Eve's network", lambda: notes_of_a_node(eve), 40)["orrery.io/api-server"].partition(":")[0]
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        everywhere.settimeout(0.1)
        leads_to(eve, "machine", ours, everywhere.getsockname()[1])
        wait_until("the front door to know it", lambda: "nobody wrote" in behind(eve, "machine")[1], 20)
        with pytest.raises(TimeoutError):
            everywhere.accept()
    nodes = [node["metadata"]["name"] for node in json.loads(eve.ask("GET", NODES))["items"]]
    control = {"orrery.io/runtime": "simulated", "node-role.kubernetes.io/control-plane": ""}
    size = {"capacity": {"cpu": "2", "memory": "2Gi", "pods": "10"}}
    eve.ask("POST", NODES, {"metadata": {"name": "mine", "labels": control}, "status": size})
    wait_until("a control plane without a network", lambda: "True" in conditions(eve, "mine"), 40)
    about = {"name": "loop", "labels": {"orrery.io/runtime": "process"}}
    eve.ask("POST", NODES, {"metadata": about, "spec": {"podCIDR": "127.0.0.0/16"}})
    eve.run("loop", "pass", spec={"nodeName": "loop", "tolerations": [{"operator": "Exists"}]})
    said = json.loads(eve.ask("GET", f"{PODS}/loop"))
    eve.ask("PUT", f"{PODS}/loop/status", {**said, "status": {"phase": "Running", "podIP": "127.0.0.1"}})
    for name in nodes:
        eve.ask("DELETE", f"{NODES}/{name}")
    leads_to(eve, "loop", "127.0.0.1", room.port, conditions={"ready": True}, targetRef={"kind": "Pod", "name": "loop"})
    wait_until(
        "the front door to know it", lambda: "nobody wrote" in (s := behind(eve, "loop", "livez")[1]) or "ok" in s
    )
    for _ in range(15):
        assert "nobody wrote" in behind(eve, "loop", "livez")[1]
        time.sleep(0.2)


def conditions(learner: Learner, node: str) -> list[str]:
    status = json.loads(learner.ask("GET", f"{NODES}/{node}"))["status"]
    return [each["status"] for each in status.get("conditions", ()) if each["type"] == "Ready"]
