"""What an act on the board answers: words, and the kubectl command that would have done the same. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.client import Client


@dataclass(frozen=True)
class Done:
    """What to say: in words, and as the command that would have done the same."""

    message: str
    kubectl: str = ""


Action = Callable[[Client, str, str, dict], Done]


def kubectl(command: str, namespace: str = "") -> str:
    return f"kubectl {command}" + (f" -n {namespace}" if namespace not in ("", "default") else "")
