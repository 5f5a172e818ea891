"""The options of a request, out of its query: ListOptions, WriteOptions, DeleteOptions, PodLogOptions.

Pure. Names are Kubernetes' own. Every function raises ApiError 400 or 422 for what cannot be meant.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lab.apimachinery.errors import ApiError, Cause, bad_request, invalid_options

from .strategies.causes import forbidden, invalid, required, too_long, unsupported

BIGGEST = 2**63 - 1
TRUE, FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False", "")
FIELD_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
NOT_OLDER = "NotOlderThan"
MATCHES = ("", "Exact", NOT_OLDER)
PROPAGATIONS = ("Background", "Foreground", "Orphan")
OPTIONS_OF = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}
LONGEST_MANAGER = 128
INCLUDES = ("", "None", "Metadata", "Object")


@dataclass(frozen=True)
class ListOptions:
    """How to list or watch. `resource_version` is None where the client gave none (or an empty one)."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    token: str = ""  # `continue`: a word of Python's
    resource_version: int | None = None
    match: str = ""
    watch: bool = False
    bookmarks: bool = False
    initial_events: bool | None = None
    timeout: int = 0
    include: str = "Metadata"


@dataclass(frozen=True)
class WriteOptions:
    """Whether to write at all, what to do about unknown and doubled fields, and who owns what is written."""

    dry_run: bool
    field_validation: str
    manager: str


def integer(query: Mapping[str, str], name: str) -> int | None:
    """A whole number that is not negative, or None where the parameter is missing or empty."""
    text = query.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > BIGGEST:
        raise bad_request(f'{name}: Invalid value: "{_short(text)}": must be a whole number, 0 or more')
    return int(text)


def boolean(query: Mapping[str, str], name: str) -> bool | None:
    """True, False, or None where the parameter is missing. A parameter without a value (`?watch`) counts as true."""
    if name not in query:
        return None
    text = query[name]
    if text in TRUE or text == "":
        return True
    if text in FALSE:
        return False
    raise bad_request(f'{name}: Invalid value: "{_short(text)}": must be true or false')


def _short(text: str) -> str:
    return text if len(text) <= 64 else text[:61] + "..."


def list_options(query: Mapping[str, str]) -> ListOptions:
    options = ListOptions(
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=integer(query, "limit") or 0,
        token=query.get("continue", ""),
        resource_version=integer(query, "resourceVersion"),
        match=query.get("resourceVersionMatch", ""),
        watch=bool(boolean(query, "watch")),
        bookmarks=bool(boolean(query, "allowWatchBookmarks")),
        initial_events=boolean(query, "sendInitialEvents"),
        timeout=integer(query, "timeoutSeconds") or 0,
        include=query.get("includeObject", "") or "Metadata",
    )
    if options.include not in INCLUDES:
        raise bad_request(f'includeObject: Unsupported value: "{_short(options.include)}"')
    _check_list(options)
    return options


def _check_list(options: ListOptions) -> None:
    """Kubernetes' ValidateListOptions: what fits together. Raises ApiError 422."""
    causes = list(_of_watch(options) if options.watch else _of_list(options))
    if causes:
        raise invalid_options("ListOptions", causes)


def _of_watch(options: ListOptions) -> Iterator[Cause]:
    match, field = options.match, "resourceVersionMatch"
    if options.initial_events is not None and match != NOT_OLDER:
        yield forbidden(field, f"sendInitialEvents requires setting resourceVersionMatch to {NOT_OLDER}")
    if match and options.initial_events is None:
        yield forbidden(field, f"{field} is forbidden for watch unless sendInitialEvents is provided")
    if match and match != NOT_OLDER:
        yield unsupported(field, match, (NOT_OLDER,))
    if match and options.token:
        yield forbidden(field, f"{field} is forbidden when continue is provided")


def _of_list(options: ListOptions) -> Iterator[Cause]:
    match, field = options.match, "resourceVersionMatch"
    if match and options.resource_version is None:
        yield forbidden(field, f"{field} is forbidden unless resourceVersion is provided")
    if match and options.token:
        yield forbidden(field, f"{field} is forbidden when continue is provided")
    if match not in MATCHES:
        yield unsupported(field, match, MATCHES)
    if match == "Exact" and options.resource_version == 0:
        yield forbidden(field, f'{field} "exact" is forbidden for resourceVersion "0"')
    if options.initial_events is not None:
        yield forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")


def write_options(method: str, query: Mapping[str, str], body: dict | None = None) -> WriteOptions:
    """How to write. `body`: that of a DELETE, which may ask for a dry run too. Raises ApiError 422."""
    asked = [value for value in (query.get("dryRun"), *_listed(body or {}, "dryRun")) if value]
    validation, manager, causes = query.get("fieldValidation", ""), query.get("fieldManager", ""), []
    if any(value != "All" for value in asked):
        causes.append(unsupported("dryRun", asked, ("All",)))
    if len(manager.encode()) > LONGEST_MANAGER:
        causes.append(too_long("fieldManager", LONGEST_MANAGER))
    for at, letter in enumerate(manager):
        if not letter.isprintable():
            causes.append(invalid("fieldManager", manager, f"invalid character U+{ord(letter):04X} (at position {at})"))
    if validation not in FIELD_VALIDATIONS:
        causes.append(unsupported("fieldValidation", validation, FIELD_VALIDATIONS))
    if causes and method in OPTIONS_OF:
        raise invalid_options(OPTIONS_OF[method], causes)
    # Without a word from the client: warn of unknown and doubled fields, as Kubernetes does.
    return WriteOptions(bool(asked), validation or "Warn", manager)


def _listed(body: dict, name: str) -> list:
    value = body.get(name) or []
    if not isinstance(value, list):
        raise bad_request(f"{name} must be a list")
    return value


def force(query: Mapping[str, str], is_apply: bool) -> bool:
    """Whether an apply takes over what others own. Nothing else has anything to force, and nothing else needs a name
    under which to own. Raises ApiError 422."""
    wanted = boolean(query, "force")
    if is_apply and not query.get("fieldManager"):
        raise invalid_options("PatchOptions", [required("fieldManager", "is required for apply patch")])
    if wanted is not None and not is_apply:
        raise invalid_options("PatchOptions", [forbidden("force", "may not be specified for non-apply patch")])
    return bool(wanted)


def delete_options(query: Mapping[str, str], body: dict | None) -> dict:
    """DeleteOptions out of the body; what the query says fills in what the body leaves out."""
    options = dict(body or {})
    if options.get("kind", "DeleteOptions") != "DeleteOptions":
        raise bad_request(f"expected DeleteOptions in the body, not {options['kind']!r}")
    if "propagationPolicy" in query:
        options.setdefault("propagationPolicy", query["propagationPolicy"])
    grace = integer(query, "gracePeriodSeconds")
    if grace is not None:
        options.setdefault("gracePeriodSeconds", grace)
    orphan = boolean(query, "orphanDependents")
    if orphan is not None:
        options.setdefault("orphanDependents", orphan)
    _typed(options, "gracePeriodSeconds", int)
    _typed(options, "propagationPolicy", str)
    _typed(options, "orphanDependents", bool)
    for value in (_typed(options, "preconditions", dict) or {}).values():
        if not isinstance(value, str | None):
            raise bad_request("preconditions: uid and resourceVersion must be strings")
    policy, causes = options.get("propagationPolicy"), []
    if policy is not None and options.get("orphanDependents") is not None:
        causes.append(
            invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set")
        )
    if policy is not None and policy not in PROPAGATIONS:
        causes.append(unsupported("propagationPolicy", policy, (*PROPAGATIONS, "nil")))
    if causes:
        raise invalid_options("DeleteOptions", causes)
    return options


def _typed(options: dict, name: str, kind: type) -> Any:
    value = options.get(name)
    if value is None:
        options.pop(name, None)
    elif type(value) is not kind or (isinstance(value, int) and abs(value) > BIGGEST):
        raise bad_request(f"DeleteOptions: {name} must be of type {kind.__name__}")
    return value


def log_options(query: Mapping[str, str]) -> dict[str, str]:
    """What of a container's log is wanted, as a kubelet is asked for it: the same parameters, each spelt in one way."""
    flags = {name: "true" for name in ("follow", "previous", "timestamps") if boolean(query, name)}
    found = {name: integer(query, name) for name in ("tailLines", "sinceSeconds", "limitBytes")}
    numbers = {name: str(number) for name, number in found.items() if number is not None}
    since_time = {"sinceTime": query["sinceTime"]} if query.get("sinceTime") else {}
    if since_time and "sinceSeconds" in numbers:
        words = "PodLogOptions is invalid: at most one of sinceTime or sinceSeconds may be given"
        raise ApiError(422, "Invalid", words)
    return flags | numbers | since_time
