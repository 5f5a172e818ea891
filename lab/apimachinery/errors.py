"""Kubernetes' Status errors: each failure of the API says what was wrong, where, and what to do.

Shapes and reasons follow `k8s.io/apimachinery/pkg/api/errors`; clients switch on `reason`, people read `message`.
"""

import json
from dataclasses import dataclass

from .kinds import Kind


@dataclass(frozen=True)
class Cause:
    """One wrong field. `reason` is a FieldValue… word, `field` a path such as `spec.containers[0].image`."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def as_dict(self) -> dict:
        cause = {"reason": self.reason, "message": self.message}
        return {**cause, "field": self.field} if self.field else cause


class ApiError(Exception):
    """A refusal with its HTTP code, as it goes on the wire: `as_status()`."""

    def __init__(self, code: int, reason: str, message: str, details: dict | None = None):
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def as_status(self) -> dict:
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            status["details"] = self.details
        return status


def _named(kind: Kind, name: str) -> dict:
    details = {"name": name, "kind": kind.plural}
    return {"group": kind.group, **details} if kind.group else details


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', _named(kind, name))


def already_exists(kind: Kind, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', _named(kind, name))


def conflict(
    kind: Kind,
    name: str,
    why: str = "the object has been modified; please apply your changes to the latest version and try again",
) -> ApiError:
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, _named(kind, name))


def forbidden(kind: Kind, name: str, why: str, causes: tuple[Cause, ...] = ()) -> ApiError:
    details = _named(kind, name)
    if causes:
        details["causes"] = [cause.as_dict() for cause in causes]
    return ApiError(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', details)


def invalid(kind: Kind, name: str, causes: list[Cause]) -> ApiError:
    """422 with one cause per wrong field; kubectl prints them as a list."""
    return _invalid(kind.kind, kind.group, name, causes)


def invalid_options(kind: str, causes: list[Cause]) -> ApiError:
    """422 for options of a request that cannot be meant. `kind`: ListOptions, CreateOptions, …"""
    return _invalid(kind, "meta.k8s.io", "", causes)


def invalid_patch(shown: str, why: str) -> ApiError:
    """422 for a patch that leaves no object of its kind. `shown`: the patch, or what it leaves."""
    return _invalid("", "", "", [Cause("patch", f"Invalid value: {json.dumps(shown, ensure_ascii=False)}: {why}")])


def _invalid(kind: str, group: str, name: str, causes: list[Cause]) -> ApiError:
    listed = [f"{cause.field}: {cause.message}" for cause in causes]
    text = listed[0] if len(listed) == 1 else "[" + ", ".join(listed) + "]"
    named = {key: value for key, value in (("name", name), ("group", group), ("kind", kind)) if value}
    details = {**named, "causes": [cause.as_dict() for cause in causes]}
    return ApiError(422, "Invalid", f'{kind}{"." * bool(group)}{group} "{name}" is invalid: {text}', details)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def method_not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def too_many_requests(message: str, cause: Cause, retry_after: int = 0) -> ApiError:
    """Not now. `retry_after` as with `unavailable`."""
    again = {"retryAfterSeconds": retry_after} if retry_after else {}
    return ApiError(429, "TooManyRequests", message, {"causes": [cause.as_dict()], **again})


def unavailable(message: str, retry_after: int = 1) -> ApiError:
    """Clients try again after `retry_after` seconds, ten times over, before they say a word; 0: they say so at once.
    (`kubectl get pods`, 1.32 and 1.36: after 50 s with 1, after 0.1 s with 0.)"""
    return ApiError(503, "ServiceUnavailable", message, {"retryAfterSeconds": retry_after} if retry_after else None)
