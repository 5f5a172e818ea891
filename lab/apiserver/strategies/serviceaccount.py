"""ServiceAccount: a user that is a program. Source: ValidateServiceAccount in pkg/apis/core/validation/validation.go.

Its name is all there is to it. Tokens are asked for at `…/serviceaccounts/<name>/token`, and secrets of the type
`kubernetes.io/service-account-token`, which Kubernetes has given up making by itself, are not filled in here.
"""

from .base import Strategy


class ServiceAccountStrategy(Strategy):
    has_status = False
