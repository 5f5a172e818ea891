"""What a claim says, and what is read for it."""

import pytest

from lab.tutorials import facts
from lab.tutorials.claims import Subject, parse, parse_reading, parse_subject
from lab.tutorials.facts import all_hold
from lab.tutorials.texts import filled, shown

from .made_up import State, deployment, pod

STATE = State(
    deployment("web", replicas=3, ready=2),
    pod("web-1", node="node-a", podIP="10.0.0.1", containerStatuses=[{"restartCount": 2, "state": {}}]),
    pod("web-2", node="node-b", podIP="10.0.0.2", containerStatuses=[{"restartCount": 1, "state": {}}]),
    pod("web-3", node="node-b", ready=False),
    pod("db-1", app="db"),
)


@pytest.mark.parametrize(
    "text",
    [
        "deployment/web ready == 2",
        "deploy/web replicas >= 3",
        "deployment/web .spec.replicas == 3",
        "deployment/web env.MODE == blue",
        "deployment/web image matches :v1$",
        "deployment/missing exists == false",
        "deployment/missing ready == 0",
        "pods app=web count == 3",
        "pods app=web ready == 2",
        "pods app=web nodes == 2",
        "pods app=web restarts > 2",
        "pods app!=web count == 1",
        "pods count == 4",
        "pods app=web phase == Running",
        "pod/web-1 node in [node-a, node-c]",
        "pods app=web in shop count == 0",
        "pod/web-3 .status.podIP == none",
    ],
)
def test_it_holds_and_its_contrary_does_not(text: str) -> None:
    claim = parse(text)
    assert all_hold(claim, facts.read(STATE, claim.reading))
    operator = {"==": "!=", ">=": "<", ">": "<="}.get(claim.operator)
    if operator and claim.reading.fact != "phase":
        other = parse(text.replace(f" {claim.operator} ", f" {operator} "))
        assert not all_hold(other, facts.read(STATE, other.reading))


def test_no_pod_is_of_a_template_that_the_status_does_not_speak_of_yet() -> None:
    web = deployment("web", replicas=3, ready=3)
    web["metadata"]["generation"] = 2
    for observed, updated in ((1, 0), (2, 3)):
        web["status"] = {"observedGeneration": observed, "updatedReplicas": 3}
        assert facts.read(State(web), parse_reading("deployment/web updated")) == [updated]


def test_a_fact_of_several_objects_must_hold_of_each() -> None:
    claim = parse("pods app=web node == node-b")
    assert facts.read(STATE, claim.reading) == ["node-a", "node-b", "node-b"]
    assert not all_hold(claim, facts.read(STATE, claim.reading))


def test_of_nothing_nothing_is_claimed_but_that_it_is_not_there() -> None:
    for text in ("pod/gone node != node-b", "pods app=gone node != node-b", "pod/gone node == node-b"):
        assert not all_hold(parse(text), facts.read(STATE, parse(text).reading)), text
    assert all_hold(parse("pod/gone node == none"), facts.read(STATE, parse("pod/gone node == none").reading))


@pytest.mark.parametrize("text", ["deployment/web limit == 1Gi", "lorry/web ready == 1", "pods app=web rdy == 3"])
def test_what_cannot_be_read_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(ValueError, match="there (is no kind|are)"):
        facts.read(STATE, parse(text).reading)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("deployment/web ready", "no claim"),
        ("ready == 3", "no reading"),
        ("pods/ ready == 3", "name after the / is missing"),
        ("pods app=web name matches [", "no pattern"),
        ("pods web of three count == 1", "names nothing"),
    ],
)
def test_what_is_no_claim_is_refused_with_an_example(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(text)


def test_quantities_are_compared_as_numbers() -> None:
    node = {"kind": "Node", "metadata": {"name": "a"}, "status": {"allocatable": {"cpu": "500m", "memory": "1Gi"}}}
    for text in ("node/a cpu == 0.5", "node/a cpu < 501m", "node/a memory >= 1024Mi"):
        claim = parse(text)
        assert all_hold(claim, facts.read(State(node), claim.reading)), text


def test_subjects_are_written_as_they_are_read() -> None:
    for text in ("deployment/web", "pods app=web", "nodes", "pods app=web in shop"):
        assert str(parse_subject(text)) == text
    assert parse_subject("http://loans/loans/house-7") == Subject("http", "loans/loans/house-7")


def test_every_word_can_be_read_of_its_kind() -> None:
    for table in (facts.COUNTS, facts.SPANS, facts.VALUES):
        for kind, words in table.items():
            for word in words:
                assert facts.read(State(), parse_reading(f"{kind.lower()}/x {word}")) in ([0], [])


def test_readings_in_a_text_are_filled() -> None:
    text = "{deployment/web ready} of 3, {took healed} s, {no reading}"
    read = filled(text, lambda reading: facts.read(STATE, reading), {"took healed": "1.2"})
    assert read == "2 of 3, 1.2 s, {no reading}"
    assert [shown([0.5]), shown([3.0]), shown([99.97]), shown([None]), shown([""]), shown([]), shown([True])] == [
        "0.5",
        "3",
        "99.97",
        "nothing",
        "nothing",
        "nothing",
        "true",
    ]


@pytest.mark.parametrize("template", [{}, {"spec": {}}, {"spec": {"containers": []}}])
def test_of_a_template_without_containers_nothing_is_read(template) -> None:
    web = deployment("web", replicas=1, ready=0)
    web["spec"]["template"] = template
    for text in ("deployment/web env.MODE", "deployment/web image"):
        assert facts.read(State(web), parse_reading(text)) == [None]
