"""The options of a request, out of its query: ListOptions, WriteOptions, DeleteOptions, PodLogOptions.

Pure. Names are Kubernetes' own. Every function raises ApiError 400 or 422 for what cannot be meant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.apimachinery.errors import ApiError, bad_request

BIGGEST = 2**63 - 1
TRUE, FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False", "")
FIELD_VALIDATIONS = ("Ignore", "Warn", "Strict")
MATCHES = ("", "Exact", "NotOlderThan")
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
class LogOptions:
    """What of a container's log is wanted."""

    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since_seconds: int | None = None
    since_time: str = ""
    limit_bytes: int | None = None


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
    """Kubernetes' ValidateListOptions: what fits together."""
    if options.match not in MATCHES:
        raise _invalid("resourceVersionMatch", f'Unsupported value: "{_short(options.match)}"')
    if options.watch:
        if options.initial_events is not None and options.match != "NotOlderThan":
            raise _invalid("resourceVersionMatch", "Forbidden: sendInitialEvents requires NotOlderThan")
        if options.initial_events is None and options.match:
            raise _invalid("resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden for watch")
        return
    if options.initial_events is not None:
        raise _invalid("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list")
    if options.match and options.resource_version is None:
        raise _invalid("resourceVersionMatch", "Forbidden: resourceVersionMatch needs a resourceVersion")
    if options.match and options.token:
        raise _invalid("resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden with continue")
    if options.match == "Exact" and options.resource_version == 0:
        raise _invalid("resourceVersionMatch", 'Forbidden: Exact is forbidden for resourceVersion "0"')


def _invalid(field: str, message: str) -> ApiError:
    causes = [{"reason": "FieldValueForbidden", "message": message, "field": field}]
    details = {"group": "meta.k8s.io", "kind": "ListOptions", "causes": causes}
    return ApiError(422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: {field}: {message}', details)


def dry_run(query: Mapping[str, str], body: dict | None = None) -> bool:
    asked = [value for value in (query.get("dryRun"), *_listed(body or {}, "dryRun")) if value]
    if any(value != "All" for value in asked):
        raise ApiError(422, "Invalid", f'dryRun: Unsupported value: "{_short(str(asked[0]))}": supported values: "All"')
    return bool(asked)


def _listed(body: dict, name: str) -> list:
    value = body.get(name) or []
    if not isinstance(value, list):
        raise bad_request(f"{name} must be a list")
    return value


def field_validation(query: Mapping[str, str]) -> str:
    """What to do about unknown and doubled fields. Without a word from the client: warn, as Kubernetes does."""
    chosen = query.get("fieldValidation", "") or "Warn"
    if chosen not in FIELD_VALIDATIONS:
        supported = ", ".join(f'"{value}"' for value in FIELD_VALIDATIONS)
        message = f'fieldValidation: Unsupported value: "{_short(chosen)}": supported values: {supported}'
        raise ApiError(422, "Invalid", message)
    return chosen


def field_manager(query: Mapping[str, str]) -> str:
    manager = query.get("fieldManager", "")
    if len(manager) > 128 or not manager.isprintable():
        raise ApiError(422, "Invalid", "fieldManager: Invalid value: at most 128 printable characters are allowed")
    return manager


def force(query: Mapping[str, str], is_apply: bool) -> bool:
    """Whether an apply takes over what others own. Nothing else has anything to force."""
    wanted = boolean(query, "force")
    if wanted is not None and not is_apply:
        message = "force: Forbidden: may not be specified for non-apply patch"
        raise ApiError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {message}')
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
    if options.get("orphanDependents") is not None and options.get("propagationPolicy"):
        raise ApiError(
            422, "Invalid", "DeleteOptions is invalid: orphanDependents and propagationPolicy exclude each other"
        )
    return options


def _typed(options: dict, name: str, kind: type):
    value = options.get(name)
    if value is None:
        options.pop(name, None)
    elif not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or abs(value) > BIGGEST)):
        raise bad_request(f"DeleteOptions: {name} must be of type {kind.__name__}")
    return value


def log_options(query: Mapping[str, str]) -> LogOptions:
    since_seconds, since_time = integer(query, "sinceSeconds"), query.get("sinceTime", "")
    if since_seconds is not None and since_time:
        raise ApiError(
            422, "Invalid", "PodLogOptions is invalid: at most one of sinceTime or sinceSeconds may be given"
        )
    return LogOptions(
        container=query.get("container", ""),
        follow=bool(boolean(query, "follow")),
        previous=bool(boolean(query, "previous")),
        timestamps=bool(boolean(query, "timestamps")),
        tail_lines=integer(query, "tailLines"),
        since_seconds=since_seconds,
        since_time=since_time,
        limit_bytes=integer(query, "limitBytes"),
    )
