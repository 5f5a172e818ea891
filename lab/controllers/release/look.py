"""What a release is decided from, and what a decision is made of. Pure."""

import datetime
from dataclasses import dataclass, field, replace

from lab.apimachinery.kinds import DEPLOYMENTS
from lab.apimachinery.labels import HASH_LABEL
from lab.apimachinery.meta import copied, parse_time
from lab.apimachinery.patch import STRATEGIC_MERGE_PATCH, apply
from lab.apimachinery.services import is_headless
from lab.apiserver.strategies import strategy_for

from ..deployment import rollout
from ..deployment.revisions import RELEASE, REPLICAS_NEW, REPLICAS_OLD, same_template, split
from .analysis import Counters

ROLLING, BLUE_GREEN, CANARY = "RollingUpdate", "BlueGreen", "Canary"


@dataclass(frozen=True)
class Look:
    """Everything that counts, at one moment."""

    release: dict
    now: float  # seconds since the epoch
    deployment: dict = field(default_factory=dict)  # empty: there is none, or it is going
    replica_sets: list[dict] = field(default_factory=list)
    service: dict = field(default_factory=dict)  # empty: there is none
    no_service: str = ""  # why there is none, or why no visitor can be led by it
    pods: dict[str, str] = field(default_factory=dict)  # uid → revision (pod-template-hash), of those that are to stay
    lagging: bool = False  # the Service's EndpointSlices still lead to pods that are on their way out
    traffic: dict[str, Counters] | None = None  # pod's uid → what the proxy counted; None: nobody knows
    trouble: str = ""  # what keeps new pods from being ready, in their own words
    ahead: str = ""  # another release of the same Deployment that comes first

    @property
    def name(self) -> str:
        return self.release["metadata"]["name"]

    @property
    def spec(self) -> dict:
        return self.release["spec"]

    @property
    def status(self) -> dict:
        return self.release.get("status", {})

    def with_status(self, status: dict) -> "Look":
        return replace(self, release={**self.release, "status": status})

    @property
    def strategy(self) -> str:
        return self.spec["strategy"]["type"]

    @property
    def verdict(self) -> str:
        """A person's."""
        return self.spec.get("verdict", "")

    @property
    def replicas(self) -> int:
        return self.deployment["spec"].get("replicas", 1)

    @property
    def new(self) -> dict | None:
        """The ReplicaSet of the Deployment's present template."""
        return split(self.deployment, self.replica_sets)[0]

    @property
    def ready(self) -> int:
        """New pods that can be counted on."""
        return rollout.available(self.new) if self.new else 0

    @property
    def step_seconds(self) -> float:
        """Since the present step began."""
        return self.now - parse_time(self.status["stepStartedAt"])

    def count(self, revision: str) -> int:
        return sum(each == revision for each in self.pods.values())

    def template_is_foreign(self) -> bool:
        """Has somebody else changed the Deployment's template since this release did?"""
        template, known = self.deployment["spec"]["template"], self.status.get("newRevision", "")
        mine = next((rs for rs in self.replica_sets if revision_of(rs) == known), None)
        return not same_template(mine["spec"]["template"], template) if mine else self.new_template() != template

    def new_template(self) -> dict:
        """The Deployment's template as this release wants it, as it will be stored: `cpu: "0.5"` is `500m` there, and
        would be somebody else's change if it were compared as it is written. ApiError for a patch that does not fit."""
        changed = self.deployment
        if self.spec.get("template"):
            changed = apply(STRATEGIC_MERGE_PATCH, DEPLOYMENTS, changed, {"spec": {"template": self.spec["template"]}})
        if self.spec.get("image"):
            containers = [{"name": self.container, "image": self.spec["image"]}]
            patch = {"spec": {"template": {"spec": {"containers": containers}}}}
            changed = apply(STRATEGIC_MERGE_PATCH, DEPLOYMENTS, changed, patch)
        stored, strategy = copied(changed), strategy_for(DEPLOYMENTS)
        strategy.decode(stored, "Strict")  # a patch may hold anything
        strategy.default(stored)
        return stored["spec"]["template"]

    @property
    def container(self) -> str:
        """The container that gets the image; empty if the release leaves that open, or names none of them."""
        names = [each["name"] for each in self.deployment["spec"]["template"]["spec"]["containers"]]
        named = self.spec.get("container") or (names[0] if len(names) == 1 else "")
        return named if named in names else ""

    def steering(self, new: int | None = None) -> dict[str, str]:
        """The Deployment's annotations: whose release it is, and how many pods of each version it should have. The old
        version stays at full strength, so that the way back costs no time."""
        if new is None:
            return {RELEASE: self.name}
        return {RELEASE: self.name, REPLICAS_NEW: str(new), REPLICAS_OLD: str(self.replicas)}

    def weights(self, new: int) -> dict[str, int]:
        """The Service's annotation, with `new` percent for the new version. What it does not name gets nothing."""
        known = self.status.get("newRevision")
        return {**({known: new} if known else {}), self.status["oldRevision"]: 100 - new}


@dataclass
class Plan:
    """What should be so next; None: leave it as it is. The controller writes only what differs."""

    status: dict
    steer: dict[str, str] | None = None  # annotations of the Deployment; {}: none of ours
    template: dict | None = None  # of the Deployment
    paused: bool | None = None  # the Deployment's spec.paused
    weights: dict[str, int] | None = None  # of the Service; {}: none
    empty: str = ""  # the revision whose ReplicaSet shall have no pods any more
    held: bool = True  # by a finalizer: not before everything is put right again may the release go
    why: dict = field(default_factory=dict)
    delay: float | None = None


def find_service(named: str, deployment: dict, services: list[dict], others: list[dict]) -> tuple[dict, str]:
    """The Service whose visitors are led, and why it, or none ({}), can be: the one that is `named`, else the only one
    that selects the Deployment's pods. `others`: all Deployments of the namespace."""
    pods = f'the pods of the Deployment "{deployment["metadata"]["name"]}"'
    found = [s for s in services if (s["metadata"]["name"] == named if named else _selects(s, deployment))]
    if not found:
        return {}, f'There is no Service "{named}".' if named else f"No Service selects {pods}."
    if len(found) > 1:
        names = ", ".join(sorted(s["metadata"]["name"] for s in found))
        return {}, f"Several Services select {pods} ({names}): spec.service must name one."
    service, what = found[0], f'The Service "{found[0]["metadata"]["name"]}"'
    if not _selects(service, deployment):
        return service, f"{what} selects none of {pods}."
    if is_headless(service):
        return service, f"{what} is headless: nobody stands between it and visitors."
    also = [d["metadata"]["name"] for d in others if _selects(service, d) and d["spec"].get("replicas", 1)]
    if strangers := ", ".join(sorted({*also} - {deployment["metadata"]["name"]})):
        return service, f"{what} leads to other Deployments too ({strangers}): those would be left without visitors."
    return service, ""


def _selects(service: dict, deployment: dict) -> bool:
    selector, labels = service["spec"].get("selector"), deployment["spec"]["template"]["metadata"]["labels"]
    return bool(selector) and selector.items() <= labels.items()


def revision_of(replica_set: dict) -> str:
    return replica_set["metadata"].get("labels", {}).get(HASH_LABEL, "")


def written(time: float) -> str:
    """A time as it stands in the status; the fractions count where a step takes a second."""
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
