"""YAML with its line numbers: what is wrong stands beside the line that it is about."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.dashboard.creating import deployment_object, explain, node_object
from lab.dashboard.yamllines import BadYaml, documents

TEXT = """\
# a comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: first
      - name: second
        image: nothing
---
apiVersion: v1
kind: Namespace
metadata: {name: other}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec", 6),
        ("metadata.name", 5),
        ("spec.template.spec.containers[1].image", 12),
        ("spec.template.spec.containers[0].image", 10),  # missing: the nearest that is there
        ("spec.template.spec.containers.image", 12),  # of which container is not said
        ("spec.selector.matchLabels", 6),
        ("nothing", 2),
    ],
)
def test_a_path_of_an_error_has_a_line(path, line):
    assert documents(TEXT)[0].line_of(path) == line


def test_a_file_may_hold_several_objects_each_with_its_own_lines():
    first, second = documents(TEXT)
    assert second.line_of("metadata.name") == 16
    assert first.object["kind"] == "Deployment"


def test_a_date_stays_the_text_that_it_is():
    assert documents("apiVersion: v1\nday: 2026-05-20\n")[0].object["day"] == "2026-05-20"


@pytest.mark.parametrize(("text", "line"), [("a: b\n  c: d\n", 2), ("- 1\n- 2\n", 1), ("a: 1\nb: [\n", 3), ("word", 1)])
def test_what_is_not_an_object_is_said_with_the_line(text, line):
    with pytest.raises(BadYaml) as error:
        documents(text)
    assert error.value.line == line


def test_each_cause_of_a_refusal_stands_beside_its_own_line():
    causes = [
        {"field": "metadata.name", "message": "too long", "reason": "x"},
        {"field": "spec.template.spec.containers[1].image", "message": "Required value", "reason": "x"},
    ]
    found = explain(documents(TEXT)[0], ApiError(422, "Invalid", "refused", {"causes": causes}))
    assert [(one.line, one.message) for one in found] == [
        (5, "metadata.name: too long"),
        (12, "spec.template.spec.containers[1].image: Required value"),
    ]


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ('strict decoding error: unknown field "spec.template.spec.containers[1].image"', 12),
        ("json: cannot unmarshal string into Go struct field DeploymentSpec.spec.template of type int32", 7),
        ("it already exists", 5),
    ],
)
def test_a_refusal_in_words_alone_is_put_where_it_belongs(message, line):
    assert [one.line for one in explain(documents(TEXT)[0], ApiError(400, "BadRequest", message))] == [line]


def test_the_form_writes_a_deployment():
    form = {"name": "web", "image": "orrery/hello:v1", "replicas": "2", "port": "8080", "cpu": "100m", "command": "a b"}
    made = deployment_object(form)
    container = made["spec"]["template"]["spec"]["containers"][0]
    assert (made["spec"]["replicas"], container["ports"], container["args"]) == (
        2,
        [{"containerPort": 8080}],
        ["a", "b"],
    )
    assert made["spec"]["selector"]["matchLabels"] == made["spec"]["template"]["metadata"]["labels"]


def test_the_form_writes_a_node_of_any_size_with_gpus_and_labels():
    form = {
        "name": "gpu-1",
        "cpu": "8",
        "memory": "16Gi",
        "gpus": "2",
        "zone": "b",
        "runtime": "docker",
        "labels": "a=b c=d",
    }
    node = node_object(form)
    assert node["status"]["capacity"]["nvidia.com/gpu"] == "2"
    assert node["metadata"]["labels"]["c"] == "d"
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "b"


@pytest.mark.parametrize("form", [{"replicas": "many"}, {"port": "-1"}])
def test_the_form_says_in_words_what_is_not_a_number(form):
    with pytest.raises(ValueError, match="must be a whole number"):
        deployment_object({"name": "web", "image": "x", **form})


def test_a_label_without_a_value_is_refused_by_name():
    with pytest.raises(ValueError, match="key=value, not disk"):
        node_object({"name": "n", "labels": "disk"})
