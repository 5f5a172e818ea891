"""The tokens in the pods' volumes: asked for when a container starts, and again at four fifths of their life.

Kubernetes' token manager (pkg/kubelet/token). What is asked for is bound to the pod, so it ends with it. Nothing here
looks at the clock by itself: a pod's worker is told when it has to look again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS
from lab.client import Client

from .environment import ConfigError
from .records import PodRecord

RENEWED_AT = 0.8  # of its life
MOST_SECONDS = 24 * 3600  # however long its life is
RETRY_SECONDS = 60.0


@dataclass
class Kept:
    token: str
    renew_at: float
    ends_at: float


class Tokens:
    """`client(cluster)` is this agent's."""

    def __init__(self, client: Callable[[str], Client]):
        self._client = client
        self._kept: dict[str, dict[tuple[str, int], Kept]] = {}  # pod's uid → (audience, seconds) → token

    def of(self, record: PodRecord, source: dict) -> str:
        """The token that a projected source asks for. Raises ConfigError where there is none to be had."""
        audience, seconds = source.get("audience", ""), source["expirationSeconds"]
        of_pod, now = self._kept.setdefault(record.uid, {}), time.time()
        kept = of_pod.get((audience, seconds))
        if kept and now < kept.renew_at:
            return kept.token
        try:
            token = self._ask(record, audience, seconds)
        except ApiError as error:
            if kept:
                kept.renew_at = now + RETRY_SECONDS
            if kept is None or now >= kept.ends_at:
                raise ConfigError(f"failed to fetch token: {error.message}") from error
            return kept.token
        of_pod[audience, seconds] = Kept(token, now + min(RENEWED_AT * seconds, MOST_SECONDS), now + seconds)
        return token

    def _ask(self, record: PodRecord, audience: str, seconds: int) -> str:
        cluster, namespace, name = record.address
        bound = {"kind": PODS.kind, "apiVersion": PODS.api_version, "name": name, "uid": record.uid}
        spec = {"audiences": [audience] if audience else [], "expirationSeconds": seconds, "boundObjectRef": bound}
        account = record.pod["spec"]["serviceAccountName"]
        return self._client(cluster).create_token(namespace, account, spec)["token"]

    def due(self, uid: str) -> float | None:
        """In how many seconds the first of a pod's tokens has to be renewed; None if it has none."""
        first = min((kept.renew_at for kept in self._kept.get(uid, {}).values()), default=None)
        return None if first is None else max(0.0, first - time.time())

    def forget(self, uid: str) -> None:
        self._kept.pop(uid, None)
