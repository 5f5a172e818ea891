"""The faults by name: which of them a lab can have. Pure; what each does is told in `faults`."""

from collections.abc import Collection

OWN = ("broker", "engine", "clock", "database", "second")  # what a run may have of its own, and so break
POD_FAULTS = (
    "kill_container",
    "kill_container",
    "stop_container",
    "delete_pod",
    "delete_pod_at_once",
    "delete_replicaset",
)
NODE_FAULTS = ("power_off", "cut_off", "cordon", "begin_drain", "taint", "delete_node", "power_off_control_plane")
PROCESSES = ("worker", "web", "beat", "proxy", "broker", "engine")


def names_of(runtime: str, own: Collection[str]) -> tuple[str, ...]:
    """`own`: some of OWN. The order is part of what a seed means."""
    processes = [name for name in PROCESSES if (name, runtime) != ("engine", "docker")]
    processes += [name for name in ("second",) if name in own]
    names = [
        *POD_FAULTS,
        *NODE_FAULTS,
        "kill_lab",
        "restart_lab",
        "kill_haproxy",
        *(f"{verb}:{name}" for name in processes for verb in ("kill", "stop")),
    ]
    if "broker" in own:
        names[names.index("kill:broker")] = "kill_own_broker"
        names += ["stutter_broker", "cut_broker"]
    if runtime == "docker":
        names.append("kill_sandbox")
    if "engine" in own:
        names += ["restart_engine", "crash_engine", "stop:dockerd"]
    if "clock" in own:
        names += ["step_clock", "step_clock"]
    if "database" in own:
        names += ["cut_database", "cut_database", "crash_database"]
    return tuple(names)
