"""Lines of the kinds that are ours: Release, Visitors, Build, NodePool, Wheel, Lesson."""

from .cells import age


def release_cells(release: dict, now: float) -> list:
    spec, status = release["spec"], release.get("status", {})
    return [
        release["metadata"]["name"],
        spec.get("deployment", ""),
        (spec.get("strategy") or {}).get("type", ""),
        status.get("phase", "Waiting"),
        f"{status['weight']}%" if "weight" in status else "",
        age(release, now),
        status.get("message", ""),
    ]


def visitors_cells(visitors: dict, now: float) -> list:
    spec = visitors["spec"]
    return [
        visitors["metadata"]["name"],
        spec.get("service", ""),
        spec.get("path", "/"),
        f"{spec.get('rate', 0):g}/s",
        visitors.get("status", {}).get("phase", ""),
        age(visitors, now),
    ]


def build_cells(build: dict, now: float) -> list:
    spec, status = build["spec"], build.get("status", {})
    where = (spec.get("deployment", ""), status.get("image", ""), status.get("phase", "Pending"))
    return [build["metadata"]["name"], *where, age(build, now), status.get("message", "")]


def nodepool_cells(pool: dict, now: float) -> list:
    spec, status = pool["spec"], pool.get("status", {})
    numbers = (status.get("nodes", 0), status.get("booting", 0), spec.get("minNodes", 0), spec.get("maxNodes", 0))
    return [pool["metadata"]["name"], *numbers, age(pool, now)]


def wheel_cells(wheel: dict, now: float) -> list:
    spec, taken = wheel["spec"], wheel.get("status", {}).get("taken", 0)
    seconds = f"{spec['seconds']:g}s" if "seconds" in spec else ""
    steps = f"{taken}/{max(taken, spec['steps'])}" if "steps" in spec else ""
    return [wheel["metadata"]["name"], spec.get("mode", ""), seconds, steps, age(wheel, now)]


def lesson_cells(lesson: dict, now: float) -> list:
    spec, status = lesson["spec"], lesson.get("status", {})
    passed = sum("passed" in step for step in status.get("steps", {}).values())
    return [lesson["metadata"]["name"], spec.get("step", ""), status.get("phase", ""), passed, age(lesson, now)]
