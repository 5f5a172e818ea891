"""What containerd is to a Kubernetes node: pods of real containers, on a Docker engine.

May do to the engine whatever the runtime's verbs ask for, to what carries this lab's label. Must never touch
anything without it, and must never decide what should run: that is the kubelet's part.
"""

from .runtime import DockerRuntime

__all__ = ["DockerRuntime"]
