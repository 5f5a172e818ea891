"""The machine's side of closed networks: whoever is in one reaches nothing that the machine offers but the API.

A closed network's gateway passes nothing on, and nothing that leaves it is given an address that an answer would find.
What is left is the machine itself, whose end of each bridge is a neighbour to the pods: whatever listens on all
addresses listens there too. So its firewall lets from those bridges only answers in, and the API's port; and nothing
out, for a gateway asks where a Service's endpoints are said to be. The engine writes to the same tables; who may use it
may have this done, wherever it runs: in a container with the machine's network, by the machine's own iptables.

And its kernel is made ready for many: the table of neighbours has 1,024 places for all networks of a machine, of which
each pod that is probed takes two (the machine's for it, and its for the machine). Of a class of sixty with eight pods
each, the last would never be ready. `kops` and others raise it on the nodes that they make.
"""

import contextlib
import logging
import threading
import zlib

from lab.runtime import RuntimeFailure

from . import labels
from .engine import UNAVAILABLE, Engine, failing_as
from .making import GATEWAY, ImageMaker
from .removing import remove

logger = logging.getLogger(__name__)
API_PORT = 6443  # where the host's data plane leads pods to the API, on each bridge
HOST = "/host"
SECONDS = 30
INTO = f"import os, sys; os.chroot('{HOST}'); os.chdir('/'); os.execv('/bin/sh', ['sh', '-ec', sys.argv[1]])"
TOOLS = 'PATH=/usr/sbin:/sbin:/usr/bin:/bin; rule() { iptables -w 5 "$@"; }'
CLOSE = """
for limit in 1=2048 2=8192 3=16384; do
    at=/proc/sys/net/ipv4/neigh/default/gc_thresh${{limit%=*}}
    test "$(cat $at 2>/dev/null || echo 99999)" -ge "${{limit#*=}}" || echo "${{limit#*=}}" >$at || true
done 2>/dev/null
rule -C INPUT -i {bridges} -j {chain} 2>/dev/null && exit 0
rule -C DOCKER-USER -i {bridges} ! -o {bridges} -j DROP 2>/dev/null ||
    rule -I DOCKER-USER -i {bridges} ! -o {bridges} -j DROP
rule -N {chain} 2>/dev/null || rule -F {chain}
rule -A {chain} -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
rule -A {chain} -p tcp --dport {port} -j RETURN
rule -A {chain} -j DROP
rule -I INPUT -i {bridges} -j {chain}
"""
OPEN = """
rule -D INPUT -i {bridges} -j {chain} 2>/dev/null || true
rule -D DOCKER-USER -i {bridges} ! -o {bridges} -j DROP 2>/dev/null || true
rule -F {chain} 2>/dev/null && rule -X {chain} || true
"""
CAPABILITIES = ["NET_ADMIN", "NET_RAW", "SYS_CHROOT"]


def bridge_name(lab_id: str, number: int) -> str:
    """Of a closed network's bridge: by its beginning the firewall knows it. A device's name has 15 letters at most."""
    return f"{_beginning(lab_id)}{number:x}"


def _beginning(lab_id: str) -> str:
    """Of one engine's: another one of the lab may be on the same machine."""
    return f"o{lab_id[:8]}{zlib.crc32(lab_id[8:].encode()) & 0xF:x}-" if lab_id[8:] else f"o{lab_id[:8]}-"


class Firewall:
    def __init__(self, engine: Engine, lab_id: str, maker: ImageMaker):
        self._engine = engine
        self._lab_id = lab_id
        self._maker = maker
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Once in the life of this process. Where the machine cannot do it, the log says what pods reach, which run
        anyhow. Raises RuntimeFailure while the engine does not answer: there shall be no such network before."""
        with self._lock:
            if self._closed:
                return
            self._maker.make_gateway()
            try:
                refusal = self._run(CLOSE)
                self._closed = True
            except RuntimeFailure as failure:  # the next network tries again
                if failure.reason == UNAVAILABLE:
                    raise
                refusal = failure.message
            if refusal:
                logger.warning(
                    "pods of closed networks reach what this machine offers on all its addresses: %s", refusal
                )

    def open(self) -> None:
        """Take back what `close` did, as far as it can be."""
        with self._lock, contextlib.suppress(RuntimeFailure):
            self._run(OPEN)
        self._closed = False

    def _run(self, script: str) -> str:
        """What went wrong in it; "" if nothing did. Raises RuntimeFailure where it was not run to its end."""
        told = {"bridges": f"{_beginning(self._lab_id)}+", "chain": f"ORRERY-{self._lab_id[:8]}", "port": API_PORT}
        config = {
            "Image": GATEWAY,
            "Entrypoint": ["python3", "-S", "-E", "-c", INTO],
            "Cmd": [f"{TOOLS}\n{script.format(**told)}"],
            "User": "0:0",
            "Labels": {labels.LAB: self._lab_id, labels.KIND: "firewall"},
            "HostConfig": {
                "NetworkMode": "host",
                "CapDrop": ["ALL"],
                "CapAdd": CAPABILITIES,
                "SecurityOpt": ["no-new-privileges"],
                "Mounts": [{"Type": "bind", "Source": "/", "Target": HOST, "ReadOnly": True}],
            },
        }
        client, name = self._engine.client, f"orrery-{self._lab_id}-firewall"
        with failing_as("FirewallNotReady", gone_is_fine=True):
            remove(client, name)  # of one who was killed at this
        with failing_as("FirewallNotReady"):
            made = client.create_container_from_config(config, name=name)["Id"]
            try:
                client.start(made)
                ended = client.wait(made, timeout=SECONDS)["StatusCode"]
                return client.logs(made).decode(errors="replace").strip() or "it failed" if ended else ""
            finally:
                remove(client, made)
