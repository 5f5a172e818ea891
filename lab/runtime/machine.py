"""What this machine is, in the words of Go, which Kubernetes uses: `linux`, `amd64`."""

import platform

GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
ARCHITECTURE = GO_ARCHITECTURES.get(platform.machine(), platform.machine())
OPERATING_SYSTEM = platform.system().lower()
# What every kubelet says of its node beside the host's name: many a nodeSelector asks for it.
LABELS = {"kubernetes.io/arch": ARCHITECTURE, "kubernetes.io/os": OPERATING_SYSTEM}
