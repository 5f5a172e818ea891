"""The specification of a pod, wherever it stands: in a Pod, or in the template of a Deployment or ReplicaSet.

Defaults and rules as in kubernetes/pkg/apis/core/v1/defaults.go and …/core/validation/validation.go, one module a noun.
Must never look at more than the specification itself: no other object, no status, no store.
"""
