"""JSON patch (RFC 6902): a list of operations by path, all or nothing. `kubectl rollout undo` sends one."""

import copy
import json

import jsonpatch

from ..errors import ApiError, bad_request

# Kubernetes' own limits: a patch of copies of copies would otherwise fill the memory.
# Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go and its JSONPatchMaxCopyBytes.
MOST_OPERATIONS = 10_000
MOST_COPIED_BYTES = 3 * 1024 * 1024


def apply(old: dict, operations: list) -> dict:
    """The object after all operations. Raises ApiError 400 (malformed), 413 (too much) or 422 (does not fit)."""
    if len(operations) > MOST_OPERATIONS:
        message = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(operations)}"
        raise ApiError(413, "RequestEntityTooLarge", message)
    new, copied = copy.deepcopy(old), 0
    for operation in operations:
        try:
            if isinstance(operation, dict) and operation.get("op") == "copy":
                copied += len(json.dumps(jsonpatch.JsonPointer(operation["from"]).resolve(new)))
                if copied > MOST_COPIED_BYTES:
                    raise ApiError(413, "RequestEntityTooLarge", "the patch copies more than 3 MiB")
            new = jsonpatch.JsonPatch([operation]).apply(new, in_place=True)
        except jsonpatch.JsonPatchTestFailed:
            raise _unprocessable(f"testing value {operation['path']} failed: test failed") from None
        except (jsonpatch.JsonPatchConflict, jsonpatch.JsonPointerException):
            does = f"{operation['op']} operation does not apply"
            raise _unprocessable(f"{does}: doc is missing path: {operation['path']}") from None
        except (jsonpatch.JsonPatchException, KeyError, TypeError, AttributeError) as malformed:
            raise bad_request(f"the JSON patch is malformed: {malformed}") from None
    return copy.deepcopy(new)


def _unprocessable(why: str) -> ApiError:
    return ApiError(422, "Invalid", f"the server rejected our request due to an error in our request: {why}")
