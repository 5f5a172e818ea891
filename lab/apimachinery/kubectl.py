"""The command that does what a card advises. Pure."""

import shlex


def kubectl(*words: str, namespace: str = "") -> str:
    """Quoted for a shell. The namespace is left out where kubectl means it anyway."""
    return shlex.join(["kubectl", *words, *(["-n", namespace] if namespace not in ("", "default") else [])])
