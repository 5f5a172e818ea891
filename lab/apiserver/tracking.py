"""Keeping `metadata.managedFields` as objects are written."""

from lab.apimachinery.errors import ApiError

from .managedfields import Manager, tracked
from .request import Request


def track(req: Request, old: dict | None, new: dict, subresource: str = "") -> None:
    """Note in `new` who has written what of it.

    What the lab's own parts create is theirs alone, and most of what there is; it is not kept until somebody from
    outside has written it. Nor is what they say in a status: nobody applies one.
    """
    kept = old["metadata"].get("managedFields") if old else None
    concerns = req.outside or (kept and subresource != "status")
    try:
        entries = tracked(old, new, Manager(req.manager or req.author, subresource=subresource)) if concerns else kept
    except ApiError:  # a list's item without its key: valid, but not to be told apart
        entries = kept
    new["metadata"].pop("managedFields", None)
    if entries:
        new["metadata"]["managedFields"] = entries
