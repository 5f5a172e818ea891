"""Names and keys: what Kubernetes accepts, and its own words where it does not."""

import pytest

from lab.apimachinery import meta, names


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (names.dns_label, ["a", "web-1", "1a", "a" * 63], ["", "A", "a.b", "-a", "a-", "a_b", "a" * 64, "a\n"]),
        (names.dns_subdomain, ["a", "a.b-c.d", "a" * 253], ["", "a..b", ".a", "A", "a" * 254, "é"]),
        (names.dns1035_label, ["a", "web-1"], ["1a", "", "a.b", "a" * 64]),
        (
            names.qualified_name,
            ["a", "app.kubernetes.io/name", "A_b.c"],
            ["", "/a", "a/", "a/b/c", "-a", "A.x/" + "n" * 64],
        ),
        (names.label_value, ["", "a", "A_b.c-1", "v" * 63], ["-a", "a b", "v" * 64, "a/b"]),
        (names.config_key, ["a", "a.b_C-1", ".a"], ["", ".", "..", "..a", "a/b", "k" * 254]),
        (names.env_name, ["A", "a.b-c", "1"], ["", "a=b", "a\tb", "é"]),
        (names.port_name, ["http", "a1", "h-2"], ["", "80", "a--b", "-a", "HTTP", "a" * 16]),
    ],
)
def test_a_name_is_accepted_or_refused_with_a_reason(check, good, bad):
    for text in good:
        assert check(text) == (), text
    for text in bad:
        assert check(text) and all(check(text)), text


def test_the_words_are_kubernetes_own():
    assert names.dns_label("My.Name") == (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    )
    assert names.dns_label("my.name") == ("must not contain dots",)


def test_a_generated_name_keeps_its_base_and_stays_a_label():
    made = {meta.generated_name("web-7d9f-") for _ in range(200)}
    assert len(made) == 200
    assert all(name.startswith("web-7d9f-") and len(name) == 14 and not names.dns_label(name) for name in made)
    assert len(meta.generated_name("x" * 100)) == 63


def test_a_condition_keeps_its_time_until_its_status_turns():
    first = meta.with_condition([], "Ready", "False", "Starting")
    first[0]["lastTransitionTime"] = "2024-01-01T00:00:00Z"
    same = meta.with_condition(first, "Ready", "False", "StillStarting", "one of two")
    assert (same[0]["lastTransitionTime"], same[0]["reason"]) == ("2024-01-01T00:00:00Z", "StillStarting")
    turned = meta.with_condition(same, "Ready", "True", "Started")
    assert turned[0]["lastTransitionTime"] != "2024-01-01T00:00:00Z"
