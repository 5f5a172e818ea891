"""A controller's decision (the log's `why`) as one sentence. Pure; what is not known is told as it stands."""


def scaler_words(why: dict) -> str:
    """`requests_per_second 34 of 20 asks for 4 pods: 2 → 4`."""
    if why.get("error"):
        return str(why["error"])
    asked = [
        one.get("error") or f"{one.get('metric')} {_amount(one.get('current'))} of {_amount(one.get('target'))}"
        for one in why.get("metrics") or ()
    ]
    if "desired" not in why:
        return "; ".join(asked)
    now, wanted = why.get("current"), why["desired"]
    return f"{', '.join(asked) or 'no metric'}: {f'{now} → {wanted}' if now != wanted else f'stays at {now}'}"


def _amount(written: object) -> str:
    """`16.7` for the 16682m of the API; what is no such quantity stays as it is."""
    text = str(written)
    return f"{int(text[:-1]) / 1000:.3g}" if text.endswith("m") and text[:-1].isdigit() else text


def release_words(why: dict) -> str:
    """The reason or message that the decision gives itself; else its parts."""
    for key in ("words", "message", "because", "reason"):
        if isinstance(why.get(key), str):
            return why[key]
    return ", ".join(f"{key} {held}" for key, held in why.items() if isinstance(held, str | int | float))


def pool_words(why: dict) -> str:
    """Of a machine: bought for whom, idle since when, sold."""
    if "bought" in why:
        pods = why.get("for") or ()
        return f"bought {why['bought']}" + (f" for {', '.join(pods)}" if pods else "")
    if "sold" in why:
        return f"sells {why['sold']}: idle for {why.get('idleSeconds', 0)} s"
    if "idle" in why:
        return f"{why['idle']} is idle: {round(100 * why.get('utilization', 0))} % is requested of it"
    return f"needed again: {why['needed']}" if "needed" in why else ""
