"""Reviews: questions about access, asked as objects that are created and never stored.

`kubectl auth can-i` asks with a SelfSubjectAccessReview, `auth can-i --list` with a SelfSubjectRulesReview, `auth
whoami` with a SelfSubjectReview. The others ask about somebody else. Sources: pkg/apis/authorization/validation,
pkg/registry/authorization, pkg/registry/authentication.
"""

from collections.abc import Callable

from lab.apimachinery import errors
from lab.apimachinery.errors import Cause
from lab.apimachinery.kinds import REVIEWS, Kind
from lab.store import View

from . import rbac
from .attributes import Attributes
from .tokens import InvalidToken, issuer, user_of_token
from .user import User

BY_KIND = {kind.kind: kind for kind in REVIEWS}
EXACTLY_ONE = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


def answer(view: View, user: User, kind: Kind, namespace: str, spec: dict) -> dict:
    """The status of a review that `user` asks. Raises ApiError 422."""
    return _ANSWERS[kind.kind](view, user, namespace, spec)


def _who_am_i(view: View, user: User, namespace: str, spec: dict) -> dict:
    return {"userInfo": user.as_info()}


def _whose_token(view: View, user: User, namespace: str, spec: dict) -> dict:
    audiences = spec.get("audiences") or [issuer(view.name)]
    try:
        found, meant = user_of_token(view, spec.get("token", ""), audiences)
    except InvalidToken as why:
        return {"user": {}, "error": f"invalid bearer token: {why}"}
    return {"authenticated": True, "user": found.as_info(), "audiences": meant}


def _may_i(view: View, user: User, namespace: str, spec: dict) -> dict:
    _refuse("SelfSubjectAccessReview", _lacking(spec))
    return _decided(view, user, spec)


def _may_they(view: View, user: User, namespace: str, spec: dict) -> dict:
    _refuse("SubjectAccessReview", [*_lacking(spec), *_lacking_subject(spec)])
    return _decided(view, _subject(spec), spec)


def _may_they_here(view: View, user: User, namespace: str, spec: dict) -> dict:
    causes = [*_lacking(spec), *_lacking_subject(spec)]
    about = spec.get("resourceAttributes")
    if spec.get("nonResourceAttributes"):
        words = "Invalid value: disallowed on this kind of request"
        causes.append(Cause("spec.nonResourceAttributes", words))
    elif about and about.get("namespace", "") != namespace:
        words = f'Invalid value: "{about.get("namespace", "")}": must match metadata.namespace'
        causes.append(Cause("spec.resourceAttributes.namespace", words))
    _refuse("LocalSubjectAccessReview", causes)
    return _decided(view, _subject(spec), spec)


def _what_may_i(view: View, user: User, namespace: str, spec: dict) -> dict:
    where = spec.get("namespace", "")
    if not where:
        raise errors.bad_request("no namespace on request")
    found = list(rbac.grants(view, user, where))
    rules = [rule for grant in found for rule in grant.rules or ()]
    resources = [rule for rule in rules if rule.get("resources")]
    paths = [
        {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
        for rule in rules
        if rule.get("nonResourceURLs")
    ]
    return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}


_ANSWERS: dict[str, Callable[[View, User, str, dict], dict]] = {
    "SelfSubjectReview": _who_am_i,
    "TokenReview": _whose_token,
    "SelfSubjectAccessReview": _may_i,
    "SubjectAccessReview": _may_they,
    "LocalSubjectAccessReview": _may_they_here,
    "SelfSubjectRulesReview": _what_may_i,
}


def _decided(view: View, user: User, spec: dict) -> dict:
    decision = rbac.authorize(view, user, _attributes(spec))
    status: dict = {"allowed": decision.allowed}
    return status | {"reason": decision.reason} if decision.reason else status


def _attributes(spec: dict) -> Attributes:
    about = spec.get("nonResourceAttributes")
    if about:
        return Attributes(about.get("verb", ""), path=about.get("path", ""))
    about = spec["resourceAttributes"]
    fields = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(**{field: about.get(field, "") for field in fields})


def _subject(spec: dict) -> User:
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), spec.get("extra") or {})


def _lacking(spec: dict) -> list[Cause]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource and path:
        words = "Invalid value: cannot be specified in combination with resourceAttributes"
        return [Cause("spec.nonResourceAttributes", words)]
    return [] if resource or path else [Cause("spec.resourceAttributes", f"Invalid value: null: {EXACTLY_ONE}")]


def _lacking_subject(spec: dict) -> list[Cause]:
    if spec.get("user") or spec.get("groups"):
        return []
    return [Cause("spec.user", 'Invalid value: "": at least one of user or group must be specified')]


def _refuse(kind: str, causes: list[Cause]) -> None:
    if causes:
        raise errors.invalid(BY_KIND[kind], "", causes)
