"""A pod runs as an account that there is. Source: plugin/pkg/admission/serviceaccount."""

from lab.apimachinery import errors
from lab.apimachinery.kinds import PODS, SERVICEACCOUNTS
from lab.store import View

# Kubernetes waits for this one, which a new namespace is given by its controller; here a pod of it is let in unseen.
GIVEN = "default"


def check(view: View, pod: dict) -> None:
    namespace, account = pod["metadata"].get("namespace", ""), pod["spec"]["serviceAccountName"]
    if account != GIVEN and view.get(SERVICEACCOUNTS.resource, namespace, account) is None:
        why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        raise errors.forbidden(PODS, pod["metadata"].get("name", ""), why)
