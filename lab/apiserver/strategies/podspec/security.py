"""What no pod of the lab may do, since whoever writes it may be a stranger to whoever runs the engine.

Kubernetes' Pod Security Standards call this level "baseline"; the rules and the lists are theirs
(https://kubernetes.io/docs/concepts/security/pod-security-standards/). Each refusal says what is allowed instead.
"""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from ..causes import forbidden, invalid

HOST_NAMESPACES = {
    "hostNetwork": "pods of the lab have an address of their own; use containerPort and a Service, or hostPort",
    "hostPID": "pods of the lab see only their own processes; shareProcessNamespace shares them within the pod",
    "hostIPC": "pods of the lab share no memory with the machine; containers of one pod share theirs",
}
# What Docker gives every container, and the right to look into processes, which are the pod's own anyway: `kubectl
# debug` asks for it. Nothing beyond them may be added.
CAPABILITIES = frozenset(
    (
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
        "SYS_PTRACE",
    )
)
MOST_ID = 2**31 - 1  # of users and groups
SAFE_SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    )
)


def validate_pod_security(spec: dict, path: str) -> Iterator[Cause]:
    for field, instead in HOST_NAMESPACES.items():
        if spec.get(field):
            yield forbidden(f"{path}.{field}", instead)
    context = spec.get("securityContext") or {}
    for at, sysctl in enumerate(context.get("sysctls") or ()):
        if sysctl.get("name") not in SAFE_SYSCTLS:
            words = f"may not be set; allowed are {', '.join(sorted(SAFE_SYSCTLS))}"
            yield forbidden(f"{path}.securityContext.sysctls[{at}].name", words)
    yield from _validate_ids(context, f"{path}.securityContext")
    for at, group in enumerate(context.get("supplementalGroups") or ()):
        yield from _validate_id(group, f"{path}.securityContext.supplementalGroups[{at}]")
    yield from _validate_profile(context, f"{path}.securityContext")


def validate_container_security(context: dict, path: str) -> Iterator[Cause]:
    if context.get("privileged"):
        words = "no container of the lab is privileged; it may add the capabilities " + ", ".join(sorted(CAPABILITIES))
        yield forbidden(f"{path}.privileged", words)
    for at, capability in enumerate((context.get("capabilities") or {}).get("add") or ()):
        if capability.removeprefix("CAP_") not in CAPABILITIES:
            words = f"{capability} may not be added; allowed are {', '.join(sorted(CAPABILITIES))}"
            yield forbidden(f"{path}.capabilities.add[{at}]", words)
    if context.get("procMount", "Default") != "Default":
        yield forbidden(f"{path}.procMount", "only Default is allowed")
    yield from _validate_ids(context, path)
    yield from _validate_profile(context, path)


def _validate_ids(context: dict, path: str) -> Iterator[Cause]:
    """Users and groups, of a pod or a container. Source: ValidateSecurityContext in Kubernetes' validation."""
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        if context.get(field) is not None:
            yield from _validate_id(context[field], f"{path}.{field}")


def _validate_id(number: int, path: str) -> Iterator[Cause]:
    if not 0 <= number <= MOST_ID:
        yield invalid(path, number, names.out_of_range(0, MOST_ID))


def _validate_profile(context: dict, path: str) -> Iterator[Cause]:
    for field in ("seccompProfile", "appArmorProfile"):
        if (context.get(field) or {}).get("type") == "Unconfined":
            yield forbidden(f"{path}.{field}.type", "Unconfined is not allowed; use RuntimeDefault, or leave it out")
