"""Request bodies: nothing malformed gets past them."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apiserver import bodies


def test_an_empty_body_is_no_object():
    assert bodies.parse(b"  \n") is None


@pytest.mark.parametrize(
    "raw",
    [b"{", b"{]", b"nul", b"\xff\xfe", b'{"a": "\xc3\x28"}', b'{"a": NaN}', b"{'a': 1}", b"\x00", b'{"a":1}x',
     b"[" * 5000, b"[" * 200 + b"]" * 200, b'{"a":' * 150 + b"1" + b"}" * 150, b"k8s\x00\n\x0c"],
)  # fmt: skip
def test_it_refuses_what_is_no_json(raw):
    with pytest.raises(ApiError) as refused:
        bodies.parse(raw)
    assert refused.value.code == 400


@pytest.mark.parametrize(
    "value",
    [None, [], "x", 7, {"kind": 3}, {"metadata": 5}, {"metadata": {"name": 5}}, {"metadata": {"labels": {"a": 1}}},
     {"metadata": {"finalizers": "x"}}, {"metadata": {"ownerReferences": ["x"]}}, {"metadata": {"annotations": []}}],
)  # fmt: skip
def test_it_refuses_what_is_no_object_of_the_api(value):
    with pytest.raises(ApiError) as refused:
        bodies.an_object(value, "Pod")
    assert refused.value.code == 400


def test_it_tells_where_a_field_is_given_twice():
    raw = b'{"spec":{"replicas":1,"replicas":2,"c":[{"name":"a"},{"name":"b","name":"c"}]},"spec2":{},"spec2":{}}'
    assert sorted(bodies.duplicate_fields(raw)) == ["spec.c[1].name", "spec.replicas", "spec2"]
    assert bodies.duplicate_fields(b'{"a":{"b":1},"c":{"b":1}}') == []
