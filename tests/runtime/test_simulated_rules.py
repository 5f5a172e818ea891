"""Behaviour as data: what the annotations of a pod and the name of an image mean to the simulated runtime."""

import pytest

from lab.runtime import RuntimeFailure
from lab.runtime.simulated.behaviour import PREFIX, RULES, Behaviour, behaviour_of, jittered, seconds
from lab.runtime.simulated.images import Images


def rules(*pairs: tuple[str, str], container: str = "web", **more) -> Behaviour:
    return behaviour_of({f"{PREFIX}{name}": text for name, text in pairs}, container, **more)


@pytest.mark.parametrize(
    ("text", "meant"), [("90", 90), ("1.5s", 1.5), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("0", 0)]
)
def test_durations_are_written_as_in_kubernetes(text, meant):
    assert seconds(text) == meant


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 s", "1d", "soon", "1e3"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError):
        seconds(text)


def test_without_annotations_the_defaults_hold():
    assert rules() == Behaviour()


def test_annotations_of_others_are_let_be():
    assert behaviour_of({"example.org/crash-after": "1s", "simulated": "x"}, "web") == Behaviour()


def test_every_rule_can_be_written_as_its_name_with_dashes():
    assert "crash-after" in RULES and not [name for name in RULES if "_" in name]
    assert rules(("crash-after", "20s"), ("exit-code", "0"), ("oom", "true")) == Behaviour(
        crash_after=20.0, exit_code=0, oom=True
    )


def test_a_rule_for_one_container_wins_over_the_pods_and_touches_no_other():
    given = (("web.crash-after", "5s"), ("crash-after", "9s"))
    assert rules(*given).crash_after == 5
    assert rules(*given, container="log").crash_after == 9
    assert rules(("web.crash-after", "5s"), container="").crash_after is None


def test_a_rule_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(RuntimeFailure) as failure:
        rules(("crash-aftr", "5s"))
    assert failure.value.reason == "InvalidSimulation"
    assert "there is no rule simulated.orrery.io/crash-aftr" in failure.value.message
    assert "crash-after" in failure.value.message


@pytest.mark.parametrize(
    ("name", "text"),
    [("crash-after", "soon"), ("exit-code", "-1"), ("oom", "yes"), ("jitter", "2"), ("crash-times", "1.5")],
)
def test_a_value_that_a_rule_cannot_have_is_refused_by_name(name, text):
    with pytest.raises(RuntimeFailure) as failure:
        rules((name, text))
    assert failure.value.message.startswith(f"simulated.orrery.io/{name}: '{text}' is ")


def test_the_demos_own_variable_counts_unless_an_annotation_says_otherwise():
    assert rules(ready_after="7").ready_after == 7
    assert rules(("ready-after", "3s"), ready_after="7").ready_after == 3


def test_jitter_differs_between_pods_and_is_the_same_each_time():
    spread = rules(("jitter", "0.5"))
    times = {jittered(10.0, spread, f"uid-{number}", "crash") for number in range(100)}
    assert len(times) > 90 and 5 <= min(times) < 6 and 14 < max(times) <= 15
    assert jittered(10.0, spread, "uid-1", "crash") in times
    other = rules(("jitter", "0.5"), ("seed", "another"))
    assert jittered(10.0, other, "uid-1", "crash") != jittered(10.0, spread, "uid-1", "crash")
    assert jittered(10.0, rules(("jitter", "0")), "uid-1", "crash") == 10.0


def test_the_labs_own_images_are_there_and_others_once_they_are_pulled():
    slept = []
    images = Images(slept.append)
    assert images.status("orrery/hello:v1") and not images.status("nginx")
    pulled = images.pull("nginx")
    assert (pulled.names, images.status("nginx:latest")) == (("nginx:latest",), pulled)
    assert slept == [pulled.size / (150 << 20)]
    assert pulled in images.present()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("registry.example/missing:1", "manifest for registry.example/missing:1 not found: manifest unknown"),
        ("web:missing", "manifest for web:missing not found"),
        ("orrery/hello:nope", "manifest for orrery/hello:nope not found"),
        ("private/web", "pull access denied for private/web:latest"),
        ("unreachable.example/web", "no such host"),
    ],
)
def test_an_image_whose_name_says_so_cannot_be_pulled(image, words):
    images = Images(lambda seconds: None)
    with pytest.raises(RuntimeFailure) as failure:
        images.pull(image)
    assert failure.value.reason == "ErrImagePull"
    assert failure.value.message.startswith("simulated registry: ") and words in failure.value.message
    assert images.status(image) is None


def test_a_slow_image_takes_longer_and_a_misspelt_one_is_no_image():
    slept = []
    Images(slept.append).pull("registry.example/slow")
    assert slept == [8.0]
    with pytest.raises(RuntimeFailure) as failure:
        Images(slept.append).pull("Not An Image")
    assert failure.value.reason == "InvalidImageName"


def test_what_was_shipped_on_a_real_engine_is_there_by_its_name():
    assert Images().status("orrery/hello:v9") and not Images().status("orrery/other:v9")
