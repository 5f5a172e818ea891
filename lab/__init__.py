"""Orrery: a small, real Kubernetes. `lab/README.md` is the map."""
