"""Quantities: exact, in every notation, and written back as Kubernetes writes them.

Expected values follow the tables in k8s.io/apimachinery/pkg/api/resource/quantity_test.go.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.apimachinery.errors import ApiError
from lab.apimachinery.quantity import (
    WRONG_FORMAT,
    WRONG_SUFFIX,
    canonical,
    milli_value,
    parse_amount,
    parse_quantity,
    value,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0"),
        ("100m", "0.1"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-2", "-2"),
        ("+2k", "2000"),
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("12e6", "12000000"),
        ("12E6", "12000000"),
        ("1E", "1000000000000000000"),
        ("1Ei", "1152921504606846976"),
        ("3u", "0.000003"),
        ("7n", "0.000000007"),
        (2, "2"),
        (0.5, "0.5"),
    ],
)
def test_every_notation_is_read(text, amount):
    assert parse_quantity(text) == Decimal(amount)


def test_three_tenths_are_exactly_that():
    assert parse_quantity("0.1") + parse_quantity("0.2") == parse_quantity("300m")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", WRONG_FORMAT), ("1 Gi", WRONG_FORMAT), ("1Zi", WRONG_FORMAT), ("1ee", WRONG_SUFFIX), ("1mi", WRONG_SUFFIX)],
)
def test_what_is_no_quantity_is_refused_in_kubernetes_words(text, words):
    with pytest.raises(ApiError) as refused:
        parse_quantity(text)
    assert (refused.value.code, refused.value.message) == (400, words)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("1000", "1k"),
        ("1001", "1001"),
        ("1024", "1024"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("0.1Gi", "107374182400m"),
        ("1e3", "1e3"),
        ("10e3", "10e3"),
        ("0Gi", "0"),
        ("0.0000000001", "1n"),
        ("99999999999999999999", "9223372036854775807"),
        ("99e999999999", "9223372036854775807"),
    ],
)
def test_it_is_stored_in_canonical_form(text, stored):
    assert canonical(text) == stored


def test_parts_of_a_thousandth_and_of_a_byte_count_as_whole_ones():
    assert milli_value("1.0001") == 1001
    assert value("100m") == 1


@given(st.integers(-(10**6), 10**6), st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "Gi"]))
def test_the_canonical_form_means_the_same_and_is_its_own(number, suffix):
    text = f"{number}{suffix}"
    assert parse_quantity(canonical(text)) == parse_quantity(text)
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["500m", "1.5"], "2"),
        (["0", "512Mi", "1Gi"], "1536Mi"),
        (["1Gi", "1G"], "2073741824"),
        (["1k", "24"], "1024"),
        (["1e3", "1"], "1001"),
        (["0.1", "0.2"], "300m"),
    ],
)
def test_a_sum_is_written_as_its_first_part_that_is_not_zero(parts, whole):
    first, *others = map(parse_amount, parts)
    assert str(sum(others, first)) == whole


@pytest.mark.parametrize(("one", "whole"), [("500m", "1500m"), ("512Mi", "1536Mi"), ("1e3", "3e3"), ("0", "0")])
def test_a_multiple_is_written_as_what_is_multiplied(one, whole):
    assert str(parse_amount(one) * 3) == whole
