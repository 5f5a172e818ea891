"""What is declared: small programs of the demo, with probes that a slow machine does not fail."""

NAMESPACE = "chaos"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
PATHS = {
    "deployment": f"{APPS}/deployments",
    "statefulset": f"{APPS}/statefulsets",
    "daemonset": f"{APPS}/daemonsets",
    "job": f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs",
    "cronjob": f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs",
    "autoscaler": f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers",
    "service": f"/api/v1/namespaces/{NAMESPACE}/services",
    "namespace": "/api/v1/namespaces",
}
POLICY = "policy"  # the label that tells of a Job what its CronJob says of others beside it
FALLBACK_IMAGE = "orrery/hello:v1"
SURGE = 1
# Long enough for any storm: a Job that is given up is not what is looked for here.
MANY = 1000


def deployment(name: str, replicas: int, image: str, strategy: str) -> dict:
    rolling = {"rollingUpdate": {"maxSurge": SURGE, "maxUnavailable": 0}} if strategy == "RollingUpdate" else {}
    spec = {"replicas": replicas, "strategy": {"type": strategy, **rolling}, **_pods(name, image)}
    return {"metadata": {"name": name}, "spec": spec}


def stateful_set(name: str, replicas: int, image: str, policy: str) -> dict:
    """Each of its pods keeps a volume, which outlives the set."""
    pods = _pods(name, image)
    pods["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    spec = {
        "replicas": replicas,
        "serviceName": name,
        "podManagementPolicy": policy,
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
        **pods,
    }
    return {"metadata": {"name": name}, "spec": spec}


def daemon_set(name: str, image: str) -> dict:
    return {"metadata": {"name": name}, "spec": _pods(name, image)}


def job(name: str, completions: int, parallelism: int, work: float, mode: str, restart: str) -> dict:
    command = ["python3", "-S", "-c", f"import time; time.sleep({work})"]
    container = {"name": "main", "image": "orrery/hello:v1", "command": command}
    pod = {"restartPolicy": restart, "terminationGracePeriodSeconds": 1, "containers": [container]}
    spec = {
        "completions": completions,
        "parallelism": parallelism,
        "completionMode": mode,
        "backoffLimit": MANY,
        "template": {"spec": pod},
    }
    return {"metadata": {"name": name}, "spec": spec}


def cron_job(name: str, policy: str, work: float) -> dict:
    """Each minute, which is as often as there is. One that has ended is soon forgotten, and must not come again."""
    made = job(name, 1, 1, work, "NonIndexed", "OnFailure")
    template = {"metadata": {"labels": {POLICY: policy}}, "spec": made["spec"]}
    spec = {"schedule": "* * * * *", "concurrencyPolicy": policy, "jobTemplate": template}
    return {"metadata": {"name": name}, "spec": {**spec, "successfulJobsHistoryLimit": 1}}


def autoscaler(name: str, service: str, least: int, most: int, each: int) -> dict:
    """Of the Deployment of its name: a pod for so many requests a second that are made to a Service."""
    metric = {"name": "requests_per_second", "selector": {"matchLabels": {"service": service}}}
    target = {"type": "AverageValue", "averageValue": str(each)}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": [{"type": "External", "external": {"metric": metric, "target": target}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}},
    }
    return {"metadata": {"name": name}, "spec": spec}


def service(name: str, app: str) -> dict:
    ports = [{"port": 80, "targetPort": 8080}]
    return {"metadata": {"name": name}, "spec": {"selector": {"app": app}, "ports": ports}}


def disruption_budget(name: str) -> dict:
    return {"metadata": {"name": name}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}}


def _pods(name: str, image: str) -> dict:
    labels = {"app": name}
    probe = {"periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 3}
    container = {
        "name": "main",
        "image": image,
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, **probe},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, **probe, "periodSeconds": 5},
    }
    pod = {"terminationGracePeriodSeconds": 5, "containers": [container]}
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
