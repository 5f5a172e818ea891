"""Is the new version as good as the old one? Counted from the requests that each has answered. Pure.

The proxy counts for each pod since the pod came. From look to look the differences are added up for each version, and
the last counts of each pod are kept in the release's status: so it neither matters that a pod goes and takes its
counter along, nor that a counter begins again at nothing, nor that the controller is killed between two looks.
"""

WAITING, UNKNOWN, PASSING, FAILING = "Waiting", "Unknown", "Passing", "Failing"
NOTHING = {"requests": 0, "errors": 0, "meanMs": 0.0}
# Below this many milliseconds more, a ratio of two latencies says more about the machine than about the versions.
NOISE_MS = 20.0


def fresh(known: dict) -> dict:
    """For a new weight the counting begins anew; what each counter said last is still known."""
    return {"new": NOTHING, "old": NOTHING, "counters": known.get("counters", {}), "verdict": WAITING, "message": ""}


def counted(known: dict, traffic: dict[str, dict], pods: dict[str, str], new: str, old: str) -> dict:
    """`known` with what came since the last look. `pods`: uid → revision."""
    sums = {new: known.get("new", NOTHING), old: known.get("old", NOTHING)}
    counters = {}
    for uid, server in traffic.items():
        revision = pods.get(uid)
        if revision not in sums:
            continue
        now = [server.get("requests", 0), server.get("errors", 0)]
        # Who is seen for the first time: a new pod counts from its beginning, an old one has a past of its own.
        before = known.get("counters", {}).get(uid, [0, 0] if revision == new else now)
        requests, errors = [_more(*pair) for pair in zip(before, now, strict=True)]
        sums[revision] = _added(sums[revision], requests, errors, server.get("meanMs", 0.0))
        counters[uid] = now
    return {"new": sums[new], "old": sums[old], "counters": counters}


def _more(before: int, now: int) -> int:
    """A counter that is lower than it was has begun again at nothing."""
    return now - before if now >= before else now


def _added(sums: dict, requests: int, errors: int, mean_ms: float) -> dict:
    total = sums["requests"] + requests
    mean = (sums["meanMs"] * sums["requests"] + mean_ms * requests) / total if total else 0.0
    return {"requests": total, "errors": sums["errors"] + errors, "meanMs": round(mean, 1)}


def judged(sums: dict, rules: dict) -> dict:
    """`sums` with a verdict and the words for it."""
    verdict, message = judge(sums["new"], sums["old"], rules)
    return {**sums, "verdict": verdict, "message": message}


def judge(new: dict, old: dict, rules: dict) -> tuple[str, str]:
    """The verdict on a new version beside the old one, at the same time, under the same visitors."""
    needed = rules["minRequests"]
    if new["requests"] < needed:
        return WAITING, f"waiting for requests: {new['requests']} of {needed}"
    errors, usual = error_percent(new), error_percent(old)
    if errors > usual + rules["maxErrorPercent"]:
        words = f"{errors:.3g} % of {new['requests']} requests to the new version failed"
        return FAILING, f"{words}, {usual:.3g} % to the old one (at most {rules['maxErrorPercent']:g} points more)"
    most = max(old["meanMs"] * rules["maxLatencyRatio"], old["meanMs"] + NOISE_MS)
    # Too few requests to the old version say nothing about what is usual.
    if old["requests"] >= needed and new["meanMs"] > most:
        words = f"the new version takes {new['meanMs']:.4g} ms, the old one {old['meanMs']:.4g} ms"
        return FAILING, f"{words} (at most {rules['maxLatencyRatio']:g} times as long)"
    words = f"{new['requests']} requests to the new version: {errors:.3g} % failed, {new['meanMs']:.4g} ms"
    return PASSING, f"{words} (old: {usual:.3g} %, {old['meanMs']:.4g} ms)"


def error_percent(sums: dict) -> float:
    return 100 * sums["errors"] / sums["requests"] if sums["requests"] else 0.0


def unknown(known: dict) -> dict:
    words = "nobody knows how many requests there were: the proxy does not say; waiting for its figures"
    return {**fresh({}), **known, "verdict": UNKNOWN, "message": words}
