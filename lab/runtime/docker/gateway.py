"""The gateway of a cluster's network: a container that is its router, its name server and every one of its ClusterIPs.

In Kubernetes the kernel of each node does this, told by kube-proxy. Here the data plane's program (`lab/proxy/program`)
does, once a cluster, in a container of the cluster's own network. It is no pod: nothing lists it as one.
"""

import hashlib
import logging

from docker.errors import APIError, NotFound

from lab.runtime import RuntimeFailure

from . import labels
from .configs import GATEWAY_CONTROL, gateway_config, network_name
from .engine import Engine, failing_as
from .gate import LAST, StartGate
from .making import ImageMaker
from .network import Networks
from .removing import remove

logger = logging.getLogger(__name__)
FAILED = "GatewayNotReady"


class Gateways:
    def __init__(self, engine: Engine, lab_id: str, networks: Networks, maker: ImageMaker, gate: StartGate):
        self._engine = engine
        self._lab_id = lab_id
        self._networks = networks
        self._maker = maker
        self._gate = gate
        self._image = ""  # its id, once it was there: to compare what it is made of would take most of a look's time

    def ensure(self, cluster: str, token: str, closed: bool = False) -> str:
        """Where this cluster's gateway is told what to do (`host:port`); "" if its network has no place for one."""
        places = self._networks.places(cluster, closed)
        if places is None:
            return ""
        self._image = self._image or self._maker.make_gateway()
        config = gateway_config(self._lab_id, cluster, self._image, places, token, closed)
        # Whatever it is made from: if one of these is another, the container has to be made anew.
        made_from = hashlib.sha256(repr((config, self._networks.id_of(cluster))).encode()).hexdigest()[:16]
        config["Labels"][labels.CONTENT] = made_from
        with failing_as(FAILED):
            running = self._running(self.name(cluster), made_from)
            if not running:
                with self._gate.slot(LAST):
                    self._start(self.name(cluster), config)
        return f"{places.gateway}:{GATEWAY_CONTROL}"

    def name(self, cluster: str) -> str:
        return f"{network_name(self._lab_id, cluster)}-gateway"

    def _running(self, name: str, made_from: str) -> bool:
        """Whether the right one is there and runs; one that is not right, or has ended for good, is removed."""
        try:
            found = self._engine.client.inspect_container(name)
        except NotFound:
            return False
        about = found["Config"]["Labels"]
        if about.get(labels.LAB) != self._lab_id:
            raise RuntimeFailure(FAILED, f'the name "{name}" is in use by container {found["Id"][:12]}')
        state = found["State"]
        if about.get(labels.CONTENT) == made_from and (state["Running"] or state["Restarting"]):
            return True
        remove(self._engine.client, found["Id"])
        return False

    def _start(self, name: str, config: dict) -> None:
        logger.info("starting %s", name)
        try:
            made = self._engine.client.create_container_from_config(config, name=name)["Id"]
        except NotFound:  # somebody has removed the image
            self._image = ""
            raise
        try:
            self._engine.client.start(made)
        except APIError:
            remove(self._engine.client, made)
            raise

    def remove(self, cluster: str = "") -> None:
        """Of one cluster, or all of this lab's."""
        with failing_as(FAILED, gone_is_fine=True):
            about = {"kind": "gateway"} | ({"cluster": cluster} if cluster else {})
            rows = self._engine.client.containers(all=True, filters=labels.filter_of(self._lab_id, **about))
            for row in rows:
                remove(self._engine.client, row["Id"])
