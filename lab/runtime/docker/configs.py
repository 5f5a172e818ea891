"""A pod and its containers in the words of Docker's API: what the kubelet asks for, as the engine is told. Pure."""

from collections.abc import Sequence
from typing import Any

from lab.runtime import ContainerSpec, SandboxSpec

from . import labels
from .cgroups import PERIOD_MICROSECONDS
from .places import Places

# What ordinary server images need to drop root and to bind port 80, and nothing more: Docker's own default also lets
# a container craft packets and make device files.
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"]
PROCESSES_MOST = 512
LOGS = {"Type": "json-file", "Config": {"max-size": "5m", "max-file": "2"}}
CPU_SHARES_LEAST = 2  # the kernel's own least


# The gateway's program may set up its network and listen on low ports. Nothing else of it is privileged.
GATEWAY_CAPABILITIES = ["NET_ADMIN", "NET_BIND_SERVICE"]
GATEWAY_CONTROL = 7070
GATEWAY_BYTES = 256 * 1024**2
SERVICES = "10.96.0.0/16"  # where the API server takes ClusterIPs from, as kubeadm sets it
HOST_PORT_ADDRESS = "127.0.0.1"  # as node ports: what a pod opens is not open to the machine's network
DOMAIN = "cluster.local"
# ndots as in Kubernetes. A question that was lost while the gateway started again is asked again soon, not after 5 s.
DNS_OPTIONS = ["ndots:5", "timeout:1", "attempts:5"]


def network_name(lab_id: str, cluster: str) -> str:
    return f"orrery-{lab_id}-{cluster}"


def volume_name(lab_id: str, cluster: str, name: str) -> str:
    return f"orrery-{lab_id}-{cluster}-{name}"


def volume_mount(source: str, target: str, read_only: bool = False) -> dict:
    """As in Kubernetes a new volume is empty, whatever the image has in that place."""
    mount = {"Type": "volume", "Source": source, "Target": target, "ReadOnly": read_only}
    return {**mount, "VolumeOptions": {"NoCopy": True}}


def sandbox_name(spec: SandboxSpec) -> str:
    """As Kubernetes named them on Docker. One name a pod: two workers cannot make two sandboxes."""
    return f"k8s_POD_{spec.name}_{spec.namespace}_{spec.uid}"


def container_name(pod: SandboxSpec, spec: ContainerSpec) -> str:
    return f"k8s_{spec.name}_{pod.name}_{pod.namespace}_{pod.uid}_{spec.attempt}"


def _labels(lab_id: str, pod: SandboxSpec) -> dict[str, str]:
    return pod.labels | {
        labels.LAB: lab_id,
        labels.CLUSTER: pod.cluster,
        labels.NODE: pod.node,
        labels.NAMESPACE: pod.namespace,
        labels.POD: pod.name,
        labels.UID: pod.uid,
    }


def sandbox_config(
    lab_id: str, spec: SandboxSpec, image: str, places: Places | None = None, mounts: Sequence[dict] = ()
) -> dict:
    """The pause container: it owns the pod's address, its host ports, its names, its shared memory, and with `mounts`
    what its containers find on a distant engine."""
    network = network_name(lab_id, spec.cluster)
    address = {"IPAMConfig": {"IPv4Address": spec.address}} if spec.address else {}
    bindings: dict[str, list[dict[str, str]]] = {}
    for host_port, container_port, protocol in spec.host_ports:
        bindings.setdefault(f"{container_port}/{protocol}", []).append(
            {"HostIp": HOST_PORT_ADDRESS, "HostPort": str(host_port)}
        )
    return {
        "Image": image,
        "Hostname": (spec.hostname or spec.name)[:63],
        "Labels": _labels(lab_id, spec) | {labels.KIND: "sandbox", labels.ADDRESS: spec.address},
        "StopSignal": "SIGKILL",  # it handles no other, and the engine's shutdown would wait for it
        "ExposedPorts": {port: {} for port in bindings},
        "HostConfig": {
            "NetworkMode": network,
            "IpcMode": "shareable",
            "CgroupParent": spec.cgroup_parent,
            "PortBindings": bindings,
            "PidsLimit": PROCESSES_MOST,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
            "LogConfig": {"Type": "none", "Config": {}},
            "Mounts": [*mounts],
            **_names(spec, places.router if places else ""),
        },
        "NetworkingConfig": {"EndpointsConfig": {network: address}},
    }


def _names(spec: SandboxSpec, name_server: str) -> dict:
    """How its containers look names up. Kubernetes' dnsPolicy ClusterFirst (and ClusterFirstWithHostNet, as there is no
    host network here): a name with fewer than five dots is first looked for in the cluster."""
    servers, searches, options = [], [], []
    if name_server and spec.dns_policy not in ("Default", "None"):
        servers, options = [name_server], DNS_OPTIONS
        searches = [f"{spec.namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN]
    own = spec.dns_config
    named = [(option["name"], option.get("value")) for option in own.get("options") or ()]
    return {
        "Dns": servers + (own.get("nameservers") or []),
        "DnsSearch": searches + (own.get("searches") or []),
        "DnsOptions": options + [f"{name}:{value}" if value else name for name, value in named],
    }


def _capabilities(spec: ContainerSpec) -> list[str]:
    added, dropped = set(spec.capabilities_added), set(spec.capabilities_dropped)
    return sorted(added | (set() if "ALL" in dropped else set(CAPABILITIES) - dropped))


def gateway_config(lab_id: str, cluster: str, image: str, places: Places, token: str, closed: bool) -> dict:
    """`closed`: it answers pods itself and passes nothing on, so no pod reaches what is outside of its own network."""
    config = _own(lab_id, cluster, "gateway", image, places.gateway)
    config |= {
        "Cmd": [
            *("--state", "/state", "--control", f"{places.gateway}:{GATEWAY_CONTROL}"),
            *("--dns", f"{places.router}:53", "--gateway", f"{places.router}/{places.prefix}", SERVICES, places.bridge),
            *(["--closed"] if closed else []),
        ],
        "Env": [f"ORRERY_PROXY_TOKEN={token}"],
        # Said though it is the default: otherwise the engine would take a SIGKILL from outside for a wish to stop it.
        "StopSignal": "SIGTERM",
    }
    config["HostConfig"] |= {
        "CapAdd": GATEWAY_CAPABILITIES,
        "Sysctls": {
            "net.ipv4.ip_forward": "0" if closed else "1",
            # Pods and the way outside are on the same link; they shall go on through us all the same.
            "net.ipv4.conf.all.send_redirects": "0",
            "net.ipv4.conf.default.send_redirects": "0",
        },
        "LogConfig": LOGS,
    }
    return config


def link_config(lab_id: str, cluster: str, image: str, places: Places) -> dict:
    """It waits; what links the network to another one is started in it (`proxy/program/link.py`)."""
    config = _own(lab_id, cluster, "link", image, places.link)
    config |= {
        "Entrypoint": ["python3", "-S", "-E", "-c", "import signal; signal.pause()"],
        "StopSignal": "SIGKILL",  # it is the first process, which no other signal ends that it does not handle
    }
    config["HostConfig"] |= {
        "CapAdd": ["NET_RAW"],
        "ReadonlyRootfs": True,
        "LogConfig": {"Type": "none", "Config": {}},
    }
    return config


def _own(lab_id: str, cluster: str, kind: str, image: str, address: str) -> dict:
    """What a container is made of that is the lab's own and no pod's, at a place of the cluster's network."""
    network = network_name(lab_id, cluster)
    return {
        "Image": image,
        "User": "0:0",
        "Labels": {labels.LAB: lab_id, labels.CLUSTER: cluster, labels.KIND: kind},
        "HostConfig": {
            "NetworkMode": network,
            "RestartPolicy": {"Name": "on-failure"},
            "Memory": GATEWAY_BYTES,
            "MemorySwap": GATEWAY_BYTES,
            "PidsLimit": PROCESSES_MOST,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
        },
        "NetworkingConfig": {"EndpointsConfig": {network: {"IPAMConfig": {"IPv4Address": address}}}},
    }


def container_config(lab_id: str, sandbox_id: str, pod: SandboxSpec, spec: ContainerSpec, cpu_millis: int) -> dict:
    """An application's container, in the namespaces of its pod. `cpu_millis`: its limit as the node can grant it.

    No `Init`: as in Kubernetes the image's own program is PID 1, which gets SIGTERM only if it handles it.
    """
    joined = f"container:{sandbox_id}"
    kind = "init" if spec.init else "container"
    about = {labels.SANDBOX: sandbox_id, labels.CONTAINER: spec.name, labels.ATTEMPT: str(spec.attempt)}
    config: dict[str, Any] = {
        "Image": spec.image,
        "Labels": _labels(lab_id, pod) | about | {labels.KIND: kind},
        "Env": [f"{key}={value}" for key, value in spec.env.items()],
        "WorkingDir": spec.working_dir,
        "User": spec.user,
        "Tty": spec.tty,
        "OpenStdin": spec.stdin,
        "StdinOnce": spec.stdin_once,
        # As in Kubernetes: what an image says of its health is not asked, only a pod's own probes are.
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "NetworkMode": joined,
            "IpcMode": joined,
            "PidMode": f"container:{spec.processes_of}" if spec.processes_of else "",
            "CgroupParent": pod.cgroup_parent,
            "CpuShares": max(spec.cpu_request_millis * 1024 // 1000, CPU_SHARES_LEAST),
            # Not NanoCpus: there the engine refuses more cores than it has, and Kubernetes takes any limit.
            "CpuPeriod": PERIOD_MICROSECONDS,
            "CpuQuota": cpu_millis * PERIOD_MICROSECONDS // 1000,
            "Memory": spec.memory_limit_bytes,
            "MemorySwap": spec.memory_limit_bytes,  # the same: no swap, as on a Kubernetes node
            "PidsLimit": PROCESSES_MOST,
            "CapDrop": ["ALL"],
            "CapAdd": _capabilities(spec),
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": spec.read_only_root,
            "LogConfig": LOGS,
            "Mounts": [
                volume_mount(mount.source, mount.target, mount.read_only)
                if mount.volume
                else {"Type": "bind", "Source": mount.source, "Target": mount.target, "ReadOnly": mount.read_only}
                for mount in spec.mounts
            ],
        },
    }
    if spec.command:
        config["Entrypoint"] = list(spec.command)
    if spec.args:
        config["Cmd"] = list(spec.args)
    return config
