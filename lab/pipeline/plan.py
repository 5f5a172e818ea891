"""What there is to decide about builds. Pure: objects in, words and numbers out."""

from dataclasses import dataclass

from lab.apimachinery.meta import condition

PENDING, BUILDING, ROLLING_OUT, COMPLETE, FAILED = "Pending", "Building", "RollingOut", "Complete", "Failed"
OVER = (COMPLETE, FAILED)
KEPT = 20
MOST_LINES, MOST_OF_A_LINE = 400, 500


def phase_of(build: dict) -> str:
    return build.get("status", {}).get("phase", PENDING)


def next_pending(builds: list[dict]) -> dict | None:
    """Whose turn it is: the oldest that waits."""
    waiting = [build for build in builds if phase_of(build) == PENDING]
    return min(waiting, key=_age, default=None)


def _age(build: dict) -> tuple[str, str]:
    return build["metadata"]["creationTimestamp"], build["metadata"]["name"]


def outdated(builds: list[dict]) -> list[dict]:
    """Those that are over, but for the newest few: each carries its files and its log."""
    over = sorted((build for build in builds if phase_of(build) in OVER), key=_age, reverse=True)
    return over[KEPT:]


def container_of(build: dict, deployment: dict) -> dict | None:
    """The container that is given the new image: the one that is named, or the first."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    wanted = build["spec"].get("container")
    return next((one for one in containers if not wanted or one["name"] == wanted), None)


def with_image(deployment_containers: list[dict], name: str, image: str) -> list[dict]:
    return [{**one, "image": image} if one["name"] == name else one for one in deployment_containers]


def clipped(lines: list[str]) -> str:
    """A log of bearable size: its end."""
    kept = [line[:MOST_OF_A_LINE] for line in lines[-MOST_LINES:]]
    left_out = [f"… {len(lines) - MOST_LINES} lines before this"] if len(lines) > MOST_LINES else []
    return "".join(f"{line}\n" for line in left_out + kept)


@dataclass(frozen=True)
class Rollout:
    """How far it is: `phase` is RollingOut until it is one of OVER."""

    phase: str
    message: str


def rollout(deployment: dict | None, container: str, image: str) -> Rollout:
    """In the words of `kubectl rollout status`."""
    if deployment is None:
        return Rollout(FAILED, "the deployment was deleted")
    name, spec, status = deployment["metadata"]["name"], deployment["spec"], deployment.get("status", {})
    now = [one["image"] for one in spec["template"]["spec"]["containers"] if one["name"] == container]
    if image not in now:
        return Rollout(FAILED, f"overtaken: {name} was given {', '.join(now) or 'other containers'} meanwhile")
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return Rollout(ROLLING_OUT, "Waiting for deployment spec update to be observed...")
    progressing = condition(deployment, "Progressing") or {}
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Rollout(FAILED, f"the rollout has stopped: {progressing['message']}. What ran before still runs")
    if spec.get("paused"):
        return Rollout(ROLLING_OUT, f"{name} is paused")
    wanted, total = spec.get("replicas", 1), status.get("replicas", 0)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted:
        return Rollout(ROLLING_OUT, f"{updated} out of {wanted} new replicas have been updated...")
    if total > updated:
        return Rollout(ROLLING_OUT, f"{total - updated} old replicas are pending termination...")
    if available < updated:
        return Rollout(ROLLING_OUT, f"{available} of {updated} updated replicas are available...")
    return Rollout(COMPLETE, f"{name} runs {image}: {wanted} of {wanted} replicas")
