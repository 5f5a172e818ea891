"""The link of a cluster's network to the same network on another engine, where that has nodes of it too.

A container beside the pods, with a program in it for each other engine (`lab/proxy/program/link.py`), whose input and
output are the wire: who opens it carries them to the other end. So no port of any machine is opened for it, and it goes
by the ways on which the engines are reached already. Docker's own overlay networks would do as much; but pods have no
router of ours there, the machine no place of its own, from which probes and the front door come, and the engines would
have to be joined to a swarm. One can be in a closed network as well: nothing leads from it to anywhere else.
"""

import contextlib
from collections.abc import Iterable

from docker.errors import APIError, NotFound

from lab.runtime import RuntimeFailure

from . import execs
from .configs import link_config, network_name
from .engine import Engine, failing_as
from .making import ImageMaker
from .network import Networks
from .places import own_range, slot_of
from .removing import remove

FAILED = "LinkNotReady"


class Links:
    def __init__(self, engine: Engine, lab_id: str, networks: Networks, maker: ImageMaker):
        self._engine, self._lab_id = engine, lab_id
        self._networks, self._maker = networks, maker

    def open(self, cluster: str, engine: str, ranges: Iterable[str]) -> execs.Hijacked:
        """This end of a link to `engine`, where nodes of the cluster have these ranges."""
        if slot_of(engine) == slot_of(self._networks.engine):
            raise RuntimeFailure(FAILED, f"it claims the addresses of {self._networks.engine}: call it another name")
        name = f"{network_name(self._lab_id, cluster)}-link"
        subnet = self._networks.ensure(cluster)
        with failing_as(FAILED):
            self._ensure(name, cluster)
        command = ["python3", "-S", "-E", "-m", "program.link", own_range(subnet, engine), *ranges]
        return execs.exec_(self._engine, name, command, stdin=True, tty=False)

    def _ensure(self, name: str, cluster: str) -> None:
        client = self._engine.client
        with contextlib.suppress(NotFound):
            found = client.inspect_container(name)
            there = found["NetworkSettings"]["Networks"].values()
            if found["State"]["Running"] and self._networks.id_of(cluster) in [each["NetworkID"] for each in there]:
                return
            remove(client, found["Id"])
        places = self._networks.places(cluster)
        if places is None:
            raise RuntimeFailure(FAILED, "the network of an older lab has no place for a link")
        config = link_config(self._lab_id, cluster, self._maker.make_gateway(), places)
        try:
            client.start(client.create_container_from_config(config, name=name)["Id"])
        except APIError as error:
            if error.status_code != 409:  # another one was faster
                raise

    def remove(self, cluster: str) -> None:
        with failing_as(FAILED, gone_is_fine=True):
            remove(self._engine.client, f"{network_name(self._lab_id, cluster)}-link")
