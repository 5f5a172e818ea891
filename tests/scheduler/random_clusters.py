"""Small clusters at random, in which pods ask for all kinds of things: for hypothesis."""

from hypothesis import strategies as st

from .build import affinity, node, pod, term
from .model import HOST, ZONE

LABELS = st.fixed_dictionaries({}, optional={"app": st.sampled_from("ab"), "tier": st.sampled_from("xy")})
KEYS = st.sampled_from((HOST, ZONE))


@st.composite
def clusters(draw, all_bound: bool = False, most_important: int = 0) -> tuple[list[dict], list[dict]]:
    """Some nodes, and pods: all on a node, or some of them. `most_important`: the highest priority there is."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 6)))]
    nodes = []
    for name in names:
        labels = draw(st.fixed_dictionaries({}, optional={ZONE: st.sampled_from("12"), "disk": st.just("ssd")}))
        nodes.append(node(name, cpu=draw(st.sampled_from("124")), pods=draw(st.integers(1, 4)), labels=labels))
    kinds, pods = draw(st.lists(kinds_of_pods(), min_size=1, max_size=3)), []
    for number in range(draw(st.integers(1, 10))):
        more = {**draw(st.sampled_from(kinds))}
        if most_important:
            more["priority"] = draw(st.integers(0, most_important))
        if all_bound or draw(st.booleans()):
            more["node"] = draw(st.sampled_from(names))
        pods.append(pod(f"p{number}", created=f"2026-01-01T00:00:0{number}Z", **more))
    return nodes, pods


@st.composite
def kinds_of_pods(draw) -> dict:
    """What all pods of one template have in common."""
    return {"cpu": draw(st.sampled_from(("", "500m", "1"))), "labels": draw(LABELS), **draw(wishes())}


@st.composite
def wishes(draw, affinity_to_pods: bool = True) -> dict:
    """What a pod may ask for."""
    more: dict = {}
    if draw(st.booleans()):
        kind = draw(st.sampled_from(("podAffinity", "podAntiAffinity"))) if affinity_to_pods else "podAntiAffinity"
        weights = st.sampled_from((0, 0, 1, 50))  # 0: required
        terms = [term(draw(KEYS), draw(weights), **draw(LABELS)) for _ in range(draw(st.integers(1, 2)))]
        more["affinity"] = affinity(kind, *terms)
    if draw(st.booleans()):
        constraint = {
            "topologyKey": draw(KEYS),
            "maxSkew": draw(st.integers(1, 2)),
            "whenUnsatisfiable": draw(st.sampled_from(("DoNotSchedule", "ScheduleAnyway"))),
            "labelSelector": {"matchLabels": draw(LABELS)},
        }
        if constraint["whenUnsatisfiable"] == "DoNotSchedule" and draw(st.booleans()):
            constraint["minDomains"] = draw(st.integers(1, 3))
        more["topologySpreadConstraints"] = [constraint]
    if draw(st.integers(0, 3)) == 0:
        more["nodeSelector"] = {"disk": "ssd"}
    return more
