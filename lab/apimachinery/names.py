"""What names, labels and keys may look like. Each check returns what is wrong in Kubernetes' words, or nothing.

Rules and messages follow `k8s.io/apimachinery/pkg/util/validation`; results are remembered, since names repeat.
"""

import functools
import re

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = rf"({_QUALIFIED})?"
_CONFIG_KEY = r"[-._a-zA-Z0-9]+"

_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_WILDCARD_WORDS = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)
_LABEL_1035_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character"
)
_QUALIFIED_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_CONFIG_KEY_WORDS = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"

Problems = tuple[str, ...]


def _unlike(words: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {shown}regex used for validation is '{pattern}')"


def too_long(most: int) -> str:
    return f"must be no more than {most} bytes"


def out_of_range(least: int, most: int) -> str:
    return f"must be between {least} and {most}, inclusive"


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, re.ASCII) is not None


def _problems(text: str, most: int, pattern: str, words: str, *examples: str) -> Problems:
    long = (too_long(most),) if len(text) > most else ()
    return long if _matches(pattern, text) else (*long, _unlike(words, pattern, *examples))


@functools.lru_cache(maxsize=4096)
def dns_label(text: str) -> Problems:
    """A name that becomes one label of a host name: namespaces, containers, volumes."""
    problems = _problems(text, 63, _LABEL, _LABEL_WORDS, "my-name", "123-abc")
    if not _matches(_LABEL, text) and _matches(_SUBDOMAIN, text):
        return (*problems[:-1], "must not contain dots")  # which says more than the pattern
    return problems


@functools.lru_cache(maxsize=16384)
def dns_subdomain(text: str) -> Problems:
    """A name with dots: pods, nodes, deployments and most other objects."""
    return _problems(text, 253, _SUBDOMAIN, _SUBDOMAIN_WORDS, "example.com")


def host_pattern(text: str) -> Problems:
    """A host name, or all that have one more label than it: `*.example.com`."""
    if "*" not in text:
        return dns_subdomain(text)
    return _problems(text, 253, _WILDCARD, _WILDCARD_WORDS, "*.example.com")


@functools.lru_cache(maxsize=1024)
def dns1035_label(text: str) -> Problems:
    """A label that begins with a letter: services, whose name ends up in environment variables."""
    return _problems(text, 63, _LABEL_1035, _LABEL_1035_WORDS, "my-name", "abc-123")


@functools.lru_cache(maxsize=4096)
def qualified_name(text: str) -> Problems:
    """The key of a label or annotation: `name`, or `prefix.example.com/name`."""
    prefix, slash, name = text.rpartition("/")
    problems = []
    if "/" in prefix:
        words = f"a qualified name {_QUALIFIED_WORDS}"
        shown = _unlike(words, _QUALIFIED, "MyName", "my.name", "123-abc")
        return (f"{shown} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",)
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {problem}" for problem in dns_subdomain(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append(f"name part {too_long(63)}")
    if not _matches(_QUALIFIED, name):
        problems.append("name part " + _unlike(_QUALIFIED_WORDS, _QUALIFIED, "MyName", "my.name", "123-abc"))
    return tuple(problems)


@functools.lru_cache(maxsize=4096)
def label_value(text: str) -> Problems:
    words = f"a valid label must be an empty string or consist of {_QUALIFIED_WORDS.removeprefix('must consist of ')}"
    return _problems(text, 63, _LABEL_VALUE, words, "MyValue", "my_value", "12345")


@functools.lru_cache(maxsize=1024)
def config_key(text: str) -> Problems:
    """A key of a ConfigMap or Secret: it becomes a file's name."""
    problems = _problems(text, 253, _CONFIG_KEY, _CONFIG_KEY_WORDS, "key.name", "KEY_NAME", "key-name")
    if text in (".", ".."):
        return (*problems, f"must not be '{text}'")
    if text.startswith("..") and _matches(_CONFIG_KEY, text):
        return (*problems, "must not start with '..'")
    return problems


@functools.lru_cache(maxsize=1024)
def env_name(text: str) -> Problems:
    """The name of an environment variable; since Kubernetes 1.34 anything printable but `=`."""
    if not text:
        return ("environment variable name must be non-empty",)
    if any(not " " <= character <= "~" or character == "=" for character in text):
        return ("a valid environment variable name must consist only of printable ASCII characters other than '='",)
    return ()


@functools.lru_cache(maxsize=1024)
def port_name(text: str) -> Problems:
    """An IANA service name: what a probe or a Service calls a port by."""
    problems = [too_long(15)] if len(text) > 15 else []
    if not _matches("[-a-z0-9]+", text):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        problems.append("must contain at least one letter (a-z)")
    if "--" in text:
        problems.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return tuple(problems)


def path_segment(text: str) -> Problems:
    """A name that has only to fit into an address: roles and their bindings, which may be called `system:node`."""
    if text in (".", ".."):
        return (f"may not be '{text}'",)
    return tuple(f"may not contain '{sign}'" for sign in "/%" if sign in text)
