"""A room full of learners: by which names and addresses their machines find this one."""

import socket

DEFAULT_HOSTS = "localhost,127.0.0.1,[::1],.localhost"


def own_address() -> str:
    """This machine's address on its network; the loopback where it has none. Nothing is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address (RFC 5737): it decides by which cable
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


def own_names(host: str) -> list[str]:
    """What learners may type into their browsers; `host` is where the room's port listens."""
    name = socket.gethostname()
    names = [own_address(), name, f"{name}.local"] if host in ("0.0.0.0", "::") else [host]
    return list(dict.fromkeys(names))
