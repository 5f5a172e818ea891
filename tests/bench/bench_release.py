"""What visitors notice of a release: a canary's share beside its weight, and how fast blue-green moves all of them.

    python -m tests.bench.bench_release [docker|process] [rounds]

A switch counts from the moment at which somebody says so to the API until the last request begins that the version
which should have nothing any more has answered: controller, proxy's agent and proxy included.
"""

import sys
import time

from tests.flow.shop import Shop, share, some

from .measure import Row, running_lab

REQUESTS = 10_000
RATE = 500
WEIGHTS = (5, 25, 50)
MOST_POINTS = 1.0
MOST_SECONDS = 0.2


def main(runtime: str = "docker", rounds: str = "5") -> None:
    with running_lab(runtime) as lab:
        shop = Shop(lab, replicas=10, rate=RATE)
        canary(shop)
        shop.close()
        shop = Shop(lab, replicas=5, rate=200)
        blue_green(shop, int(rounds))
        shop.close()


def canary(shop: Shop) -> None:
    with shop.visitors() as visitors:
        shop.release(
            {"type": "Canary", "canary": {"steps": [{"setWeight": WEIGHTS[0]}, {"pause": {}}]}}, image=other(0)
        )
        for weight in WEIGHTS:
            shop.say(weight=weight)
            new = shop.until("Paused", weight=weight)["newRevision"]
            some(visitors, RATE)  # until the data plane has heard of it
            found = share(some(visitors, REQUESTS), new)
            verdict = "kept" if abs(found - weight) <= MOST_POINTS else "MISSED"
            print(f"canary at {weight:2} %: {found:6.2f} % of {REQUESTS} requests  (±{MOST_POINTS:g} point: {verdict})")
        shop.say(verdict="Abort", weight=None)
        shop.until_over("Aborted")
    print(f"canary: {len(visitors.failures)} of {len(visitors.visits)} requests failed")


def blue_green(shop: Shop, rounds: int) -> None:
    (old,) = shop.versions()
    there, back = [], []
    with shop.visitors() as visitors:
        for at in range(rounds):
            shop.release({"type": "BlueGreen"}, f"release-{at}", image=other(at))
            shop.until("Paused", f"release-{at}")
            some(visitors, 200)
            there.append(moved(shop, visitors, f"release-{at}", "Promote", old))
            new = shop.status(f"release-{at}")["newRevision"]
            back.append(moved(shop, visitors, f"release-{at}", "Abort", new))
            shop.until_over("Aborted", f"release-{at}")
    for what, samples in (("switch", there), ("switch back", back)):
        verdict = "kept" if max(samples) <= MOST_SECONDS else "MISSED"
        print(f"{Row(f'blue-green: {what}, all traffic moved', samples)}  (at most {MOST_SECONDS * 1000:g}: {verdict})")
    print(f"blue-green: {len(visitors.failures)} of {len(visitors.visits)} requests failed")


def moved(shop: Shop, visitors, name: str, verdict: str, left: str) -> float:
    """Seconds from the word until the last request that version `left` was still given."""
    first, began = len(visitors.visits), time.monotonic()
    shop.say(name, verdict=verdict)
    seen = visitors.visits[first : first + len(some(visitors, 400)) + 1]
    late = [visit.began for visit in seen if visit.version == left]
    return max(late, default=began) - began


def other(at: int) -> str:
    """Never the image of the round before: each round has new pods."""
    return f"orrery/hello:v{2 + at % 2}"


if __name__ == "__main__":
    main(*sys.argv[1:])
