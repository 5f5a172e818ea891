"""Addresses of the API: one Kubernetes API a cluster, each under a base path of its own, as a kubeconfig names it.

The default cluster answers at Kubernetes' own paths too: `kubectl get --raw` of before 1.33 forgets the base path.
"""

from django.conf import settings
from django.urls import include, path, re_path

from .views import documents, resources
from .views.entry import CLUSTER, no_such_path

# Clients ask for the roots of discovery with and without a slash at the end.
cluster = [
    re_path(r"^version/?$", documents.version),
    re_path(r"^(?P<probe>healthz|livez|readyz)$", documents.health),
    re_path(r"^api/?$", documents.core_versions),
    re_path(r"^apis/?$", documents.groups),
    re_path(r"^api/(?P<version>[^/]+)/?$", documents.resources),
    re_path(r"^apis/(?P<group>[^/]+)/?$", documents.group),
    re_path(r"^apis/(?P<group>[^/]+)/(?P<version>[^/]+)/?$", documents.resources),
    re_path(r"^openapi/v2/?$", documents.openapi_v2),
    re_path(r"^openapi/v3/?$", documents.openapi_index),
    re_path(r"^openapi/v3/(?P<path>.+)$", documents.openapi_document),
    re_path(r"^(?P<path>apis?/.+)$", resources.resource),
]

urlpatterns = [
    re_path(CLUSTER, include(cluster)),
    path("", include(cluster), {"cluster": settings.DEFAULT_CLUSTER}),
    path("clusters", no_such_path),
    re_path(r"^clusters/", no_such_path),
]
