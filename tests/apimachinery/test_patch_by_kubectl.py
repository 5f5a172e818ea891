"""Patches as kubectl itself works them out (`kubectl patch --local`), and as the lab does: whatever is asked for."""

import json
import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.apimachinery import patch
from lab.apimachinery.kinds import PODS
from lab.apimachinery.patch import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH

names, values = st.sampled_from("abcd"), st.sampled_from(["1", "2"])
lists_of_plain = st.lists(names.map("x/{}".format), unique=True)


def by_name(strategy, least: int = 0):
    return st.lists(strategy, min_size=least, max_size=4, unique_by=lambda item: item["name"])


variables = st.fixed_dictionaries({"name": names}, optional={"value": values})
ports = st.lists(
    st.fixed_dictionaries({"containerPort": st.integers(80, 83)}, optional={"name": names}),
    max_size=3,
    unique_by=(lambda port: port["containerPort"], lambda port: port.get("name", port["containerPort"])),
)
containers = st.fixed_dictionaries(
    {"name": names, "image": values},
    optional={"env": by_name(variables), "ports": ports, "args": st.lists(values, max_size=2)},
)
volumes = st.builds(
    lambda name, source: {"name": name, **source},
    names,
    st.sampled_from([{"emptyDir": {}}, {"configMap": {"name": "c"}}, {"emptyDir": {"medium": "Memory"}}]),
)
pods = st.builds(
    lambda labels, finalizers, inside, mounted, selector: {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": labels, "finalizers": finalizers},
        "spec": {"containers": inside, "volumes": mounted, "nodeSelector": selector},
    },
    st.dictionaries(names, values),
    lists_of_plain,
    by_name(containers, 1),
    by_name(volumes),
    st.dictionaries(names, values),
)
deleted = st.builds(lambda name: {"name": name, "$patch": "delete"}, names)
changed = st.fixed_dictionaries(
    {"name": names},
    optional={
        "image": values,
        "env": st.lists(st.one_of(variables, deleted), max_size=3, unique_by=lambda item: item["name"]),
        "ports": ports,
        "args": st.none() | st.lists(values, max_size=2),
    },
)
lists = st.lists(st.one_of(changed, deleted), min_size=1, max_size=3, unique_by=lambda item: item["name"])
pairs = st.dictionaries(names, values | st.none(), min_size=1)
strategic = st.fixed_dictionaries(
    {"spec": st.fixed_dictionaries({"containers": lists}, optional={"nodeSelector": pairs})},
    optional={"metadata": st.fixed_dictionaries({"labels": pairs}, optional={"finalizers": lists_of_plain})},
)
operations = st.lists(
    st.one_of(
        st.builds(lambda at, value: {"op": "add", "path": f"/metadata/labels/{at}", "value": value}, names, values),
        st.builds(lambda at: {"op": "remove", "path": f"/spec/containers/{at}"}, st.integers(0, 3)),
        st.builds(
            lambda at, value: {"op": "replace", "path": f"/spec/containers/{at}/image", "value": value},
            st.integers(0, 3),
            values,
        ),
    ),
    min_size=1,
    max_size=3,
)
LANGUAGES = {"strategic": STRATEGIC_MERGE_PATCH, "merge": MERGE_PATCH, "json": JSON_PATCH}


def by_kubectl(kubectl: str, old: dict, body: dict | list, language: str) -> dict | None:
    """The patched object; None if kubectl finds that it cannot be."""
    words = [kubectl, "patch", "--local", "--kubeconfig", os.devnull, "-o", "json", "-f", "-", f"--type={language}"]
    done = subprocess.run([*words, "-p", json.dumps(body)], input=json.dumps(old), capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def tidy(node):
    """Without what is empty: Go leaves that out where the lab keeps it."""
    if isinstance(node, dict):
        kept = {key: tidy(value) for key, value in node.items()}
        return {key: value for key, value in kept.items() if value not in (None, {}, [], "")}
    return [tidy(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize(("language", "bodies"), [("strategic", strategic), ("merge", strategic), ("json", operations)])
def test_a_patch_makes_what_kubectl_makes_of_it(kubectl, language, bodies):
    @settings(max_examples=40)
    @given(pods, bodies)
    def same(old: dict, body: dict | list):
        theirs = by_kubectl(kubectl, old, body, language)
        # kubectl keeps a directive as a field where there was nothing to delete from; that is no result to agree with.
        if theirs is not None and "$patch" not in json.dumps(theirs):
            assert tidy(patch.apply(LANGUAGES[language], PODS, old, body)) == tidy(theirs)

    same()
