"""Is the new version as good as the old one? Counted from the requests that each has answered. Pure.

The proxy counts for each pod since the pod came. From look to look the differences are added up for each version, and
the last counts of each pod are kept in the release's status: so it neither matters that a pod goes and takes its
counter along, nor that whoever counts begins anew, nor that the controller is killed between two looks.
Whatever happened before the present weight was set, slow starts of old pods among it, does not count.
"""

import math

Counters = list[int]  # of one pod: requests that were answered, how many of them went wrong, milliseconds in all
WAITING, UNKNOWN, PASSING, FAILING = "Waiting", "Unknown", "Passing", "Failing"
NOTHING = {"requests": 0, "errors": 0, "meanMs": 0.0}
# What nobody notices is not worse: up to a tenth of a second an answer seems to come at once (Nielsen, Usability
# Engineering, 1993), and on a busy machine a ratio of less says more about the machine than about the versions.
NOTICED_MS = 100.0


def fresh(known: dict) -> dict:
    """For a new weight the counting begins anew; what each counter said last is still known."""
    return {"new": NOTHING, "old": NOTHING, "counters": known.get("counters", {}), "verdict": WAITING, "message": ""}


def counted(known: dict, traffic: dict[str, Counters], pods: dict[str, str], new: str, old: str) -> dict:
    """`known` with what came since the last look. `pods`: uid → revision."""
    sums = {new: known.get("new", NOTHING), old: known.get("old", NOTHING)}
    # A pod that nobody tells of for a moment is no new one when it is told of again.
    counters = {uid: counts for uid, counts in known.get("counters", {}).items() if uid in pods}
    for uid, now in traffic.items():
        revision = pods.get(uid)
        if revision not in sums:
            continue
        # Who is seen for the first time: a new pod counts from its beginning, an old one has a past of its own.
        before = counters.get(uid, [0, 0, 0] if revision == new else now)
        if now[0] < before[0]:
            before = now  # another one adds up now, and nobody knows what of this has been counted before
        sums[revision] = _added(sums[revision], *(later - earlier for earlier, later in zip(before, now, strict=True)))
        counters[uid] = now
    return {"new": sums[new], "old": sums[old], "counters": counters}


def _added(sums: dict, requests: int, errors: int, milliseconds: int) -> dict:
    total = sums["requests"] + requests
    mean = (sums["meanMs"] * sums["requests"] + milliseconds) / total if total else 0.0
    return {"requests": total, "errors": sums["errors"] + errors, "meanMs": round(mean, 3)}


def judged(sums: dict, rules: dict, weight: int) -> dict:
    """`sums` with a verdict and the words for it. `weight`: percent of the visitors that the new version has."""
    verdict, message = judge(sums["new"], sums["old"], rules, weight)
    return {**sums, "verdict": verdict, "message": message}


def judge(new: dict, old: dict, rules: dict, weight: int) -> tuple[str, str]:
    """The verdict on a new version beside the old one, at the same time, under the same visitors."""
    needed = rules["minRequests"]
    if new["requests"] < needed:
        return WAITING, f"waiting for requests: {new['requests']} of {needed}"
    errors, usual = error_percent(new), error_percent(old)
    if errors > usual + rules["maxErrorPercent"]:
        words = f"{errors:.3g} % of {new['requests']} requests to the new version failed"
        return FAILING, f"{words}, {usual:.3g} % to the old one (at most {rules['maxErrorPercent']:g} points more)"
    # What is usual is told by as many requests to the old version, or by its share of them where that is the smaller.
    beside = min(needed, math.ceil(needed * (100 - weight) / max(weight, 1)))
    if old["requests"] < beside:
        return WAITING, f"waiting for requests to the old version: {old['requests']} of {beside}"
    most = max(old["meanMs"] * rules["maxLatencyRatio"], old["meanMs"] + NOTICED_MS)
    if beside and new["meanMs"] > most:
        words = f"the new version takes {new['meanMs']:.4g} ms, the old one {old['meanMs']:.4g} ms"
        return FAILING, f"{words} (at most {most:.4g} ms)"
    words = f"{new['requests']} requests to the new version: {errors:.3g} % failed, {new['meanMs']:.4g} ms"
    return PASSING, f"{words} (old: {usual:.3g} %, {old['meanMs']:.4g} ms)"


def error_percent(sums: dict) -> float:
    return 100 * sums["errors"] / sums["requests"] if sums["requests"] else 0.0


def unknown(known: dict) -> dict:
    words = "nobody knows how many requests there were: the proxy does not say; waiting for its figures"
    return {**fresh({}), **known, "verdict": UNKNOWN, "message": words}
