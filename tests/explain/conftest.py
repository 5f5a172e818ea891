"""What is said of the log is asked for as the API is."""

from tests.apiserver.conftest import api, kubeconfig

__all__ = ["api", "kubeconfig"]
