"""ReplicaSet: so many pods of one template. Source: kubernetes/pkg/apis/apps/validation/validation.go."""

from .workload import WorkloadStrategy, default_template


class ReplicaSetStrategy(WorkloadStrategy):
    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        default_template(spec)
