"""The secret that the API server shows a kubelet: nobody else on the machine may read logs or kill containers."""

import hashlib
import hmac

from django.conf import settings

PURPOSE = b"orrery.io/kubelet-api"


def token() -> str:
    """The bearer token of this lab's kubelets: the same in all processes of the lab, of no use for anything else."""
    return hmac.new(settings.SECRET_KEY.encode(), PURPOSE, hashlib.sha256).hexdigest()


def is_token(given: str) -> bool:
    """Whether a caller of the kubelet showed it. Takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(given.encode(), token().encode())
