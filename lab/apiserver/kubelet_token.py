"""The secrets by which the lab's parts know each other, where others of the machine, or a pod, could ask too."""

import hashlib
import hmac

from django.conf import settings

PURPOSE = b"orrery.io/kubelet-api"
GATEWAY_PURPOSE = b"orrery.io/gateway"


def token(purpose: bytes = PURPOSE) -> str:
    """The bearer token of this lab's kubelets, who let nobody else read logs or kill containers: the same in all
    processes of the lab, of no use for anything else."""
    return hmac.new(settings.SECRET_KEY.encode(), purpose, hashlib.sha256).hexdigest()


def gateway_token() -> str:
    """What a data plane in a cluster's network wants to be shown: a pod can reach it too."""
    return token(GATEWAY_PURPOSE)


def is_token(given: str) -> bool:
    """Whether a caller of the kubelet showed it. Takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(given.encode(), token().encode())
