"""A controller's decision (the log's `why`) as one sentence. Pure; what is not known is told as it stands."""


def scaler_words(why: dict) -> str:
    """`requests_per_second 34 of 20 asks for 4; at most 10: 2 → 4`."""
    if why.get("error"):
        return str(why["error"])
    asked = [
        one["error"]
        if one.get("error")
        else f"{one.get('metric')} {one.get('current')} of {one.get('target')} asks for {one.get('proposal')}"
        for one in why.get("metrics") or ()
    ]
    if "desired" not in why:
        return "; ".join(asked)
    now, wanted = why.get("current"), why["desired"]
    return "; ".join([*asked, f"{now} → {wanted}" if now != wanted else f"stays at {now}"])


def release_words(why: dict) -> str:
    return _plainly(why)


def pool_words(why: dict) -> str:
    return _plainly(why)


def _plainly(why: dict) -> str:
    """The reason or message that the decision gives itself; else its parts."""
    for key in ("words", "message", "because", "reason"):
        if isinstance(why.get(key), str):
            return why[key]
    return ", ".join(f"{key} {held}" for key, held in why.items() if isinstance(held, str | int | float))
