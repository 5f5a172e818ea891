"""The lab's short waits beside Kubernetes' own: what the page says wherever somebody might wonder. Pure."""

# The clock's name → what it is the length of, in the reader's words.
WORDS = {
    "node_grace": "a silent node counts as lost after",
    "default_toleration": "its pods are made elsewhere",
    "crash_backoff_first": "a crashed container waits at first",
    "crash_backoff_most": "and at most",
    "hpa_downscale_stabilization": "an autoscaler removes pods after",
    "node_idle": "a spare machine is given back after",
}


def shortened(here: dict[str, float], there: dict[str, float]) -> list[dict[str, str]]:
    """`[{"words", "here", "there"}]` for each wait that is not as long as Kubernetes'."""
    return [
        {"words": words, "here": span(here[name]), "there": span(there[name])}
        for name, words in WORDS.items()
        if here[name] != there[name]
    ]


def span(seconds: float) -> str:
    """`8 s`, `5 min`."""
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:g} s"
