import base64

import pytest

from lab.kubelet.environment import ConfigError, environment, expand, field_value, resource_value, words

from .build import container, pod

OBJECTS = {
    ("configmaps", "settings"): {"data": {"color": "blue", "a=b": "no name"}},
    ("secrets", "token"): {"data": {"password": base64.b64encode(b"s3cret").decode()}},
}


def find(resource: str, name: str) -> dict | None:
    return OBJECTS.get((resource, name))


def of(*env: dict, **more) -> dict[str, str]:
    one = container("web", env=list(env), **more)
    return environment(pod([one]), one, find, {"cpu": "4", "memory": "8Gi"})


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"), ("x$(A)y$(A)", "x1y1"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$(B)", "$(B)"), ("$A", "$A"),
        ("$(A", "$(A"), ("$", "$"), ("$$", "$"),
    ],
)  # fmt: skip
def test_references_are_expanded_as_kubernetes_does(text, expanded):
    assert expand(text, {"A": "1"}) == expanded


def test_a_variable_sees_only_those_before_it_and_the_last_of_a_name_counts():
    found = of({"name": "A", "value": "$(B)"}, {"name": "B", "value": "1"}, {"name": "A", "value": "$(B)$(B)"})
    assert found == {"A": "11", "B": "1"}


def test_sources_come_first_and_what_cannot_be_a_name_is_left_out():
    sources = [{"configMapRef": {"name": "settings"}, "prefix": "C_"}, {"secretRef": {"name": "token"}}]
    found = of({"name": "C_color", "value": "red"}, envFrom=sources)
    assert found == {"C_color": "red", "password": "s3cret"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "x"}}, 'configmap "none" not found'),
        ({"secretKeyRef": {"name": "none", "key": "x"}}, 'secret "none" not found'),
        ({"configMapKeyRef": {"name": "settings", "key": "x"}}, "couldn't find key x in ConfigMap default/settings"),
        ({"fieldRef": {"fieldPath": "spec.containers"}}, "unsupported fieldPath: spec.containers"),
    ],
)
def test_what_is_missing_is_named_in_the_kubelets_words(source, words):
    with pytest.raises(ConfigError) as missing:
        of({"name": "X", "valueFrom": source})
    assert str(missing.value) == words


def test_what_is_optional_and_missing_is_left_out():
    ref = {"name": "none", "key": "x", "optional": True}
    assert of({"name": "X", "valueFrom": {"configMapKeyRef": ref}}) == {}


def test_labels_as_a_field_are_lines_with_quotes():
    labelled = pod()
    labelled["metadata"]["labels"] = {"b": 'say "hi"', "a": "1"}
    assert field_value(labelled, "metadata.labels") == 'a="1"\nb="say \\"hi\\""'
    assert field_value(labelled, "metadata.labels['a']") == "1"
    assert field_value(labelled, "metadata.annotations['none']") == ""


@pytest.mark.parametrize(
    ("ref", "value"),
    [
        ({"resource": "limits.cpu"}, "1"), ({"resource": "limits.cpu", "divisor": "1m"}, "250"),
        ({"resource": "requests.memory", "divisor": "1Mi"}, "64"), ({"resource": "limits.memory"}, str(8 << 30)),
        ({"resource": "requests.cpu"}, "0"),
    ],
)  # fmt: skip
def test_resources_are_in_units_of_their_divisor_and_a_limit_that_is_not_set_is_the_nodes(ref, value):
    one = container("web", resources={"limits": {"cpu": "250m"}, "requests": {"memory": "64Mi"}})
    assert resource_value(pod([one]), one, ref, {"memory": "8Gi"}) == value


def test_what_no_kernel_takes_is_refused_before_it_is_made():
    """Eleven variables of a few letters would be a hundred billion."""
    grown = [{"name": f"A{n}", "value": f"$(A{n - 1})" * 10} for n in range(1, 12)]
    with pytest.raises(ConfigError, match="argument list too long"):
        of({"name": "A0", "value": "x" * 10}, *grown)
    with pytest.raises(ConfigError, match="argument list too long"):
        of(*({"name": f"A{n}", "value": "x" * 100_000} for n in range(20)))
    assert len(words(["$(A)"] * 8, {"A": "x" * 100_000})) == 8
    with pytest.raises(ConfigError, match="argument list too long"):
        words(["$(A)"] * 1000, {"A": "x" * 100_000})


def test_what_a_kernel_takes_is_not_counted_twice():
    """A long script has many a `$(…)` of its shell's, which stays as it is written."""
    script = "echo $(date +%s)\n" * 7000
    assert words([script], {}) == (script,)
    assert words(["$(A)" * 12_000], {"A": "0123456789"}) == ("0123456789" * 12_000,)
