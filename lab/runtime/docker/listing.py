"""From what the engine lists to sandboxes and containers. Pure."""

import re
from collections import defaultdict
from datetime import datetime

from lab.runtime import Container, Sandbox

from . import labels

NEVER = "0001-01-01T00:00:00Z"
STATES = {"created": "created", "running": "running", "paused": "running", "restarting": "running"}


def seconds(stamp: str) -> float:
    """Seconds since the epoch for the engine's `2026-01-31T12:00:00.123456789Z`; 0 for its "never"."""
    return 0.0 if not stamp or stamp == NEVER else datetime.fromisoformat(stamp).timestamp()


def is_sandbox(row: dict) -> bool:
    return row["Labels"].get(labels.KIND) == "sandbox"


def phase(row: dict) -> str:
    """A word that changes whenever an inspection would say something new: `running`, `exited (137)`."""
    code = re.search(r"\(\d+\)", row["Status"]) if row["State"] == "exited" else None
    return f"{row['State']} {code.group()}" if code else row["State"]


def container(inspected: dict) -> Container:
    about, state = inspected["Config"]["Labels"], inspected["State"]
    created = seconds(inspected["Created"])
    status = STATES.get(state["Status"], "exited")
    # The engine leaves a container whose program cannot be run in "created", with an error and an exit code.
    refused = status == "created" and bool(state["Error"]) and state["ExitCode"] != 0
    return Container(
        id=inspected["Id"],
        name=about[labels.CONTAINER],
        attempt=int(about[labels.ATTEMPT]),
        state="exited" if refused else status,
        image=inspected["Config"]["Image"],
        image_id=inspected["Image"],
        init=about[labels.KIND] == "init",
        exit_code=state["ExitCode"] if refused or status == "exited" else 0,
        oom_killed=state["OOMKilled"],
        message=state["Error"],
        created_at=created,
        started_at=seconds(state["StartedAt"]),
        finished_at=created if refused else seconds(state["FinishedAt"]) if status == "exited" else 0.0,
    )


def sandboxes(rows: list[dict], containers: dict[str, Container]) -> list[Sandbox]:
    """`rows` as the engine lists them, `containers` by id. A sandbox that was removed behind our back while its
    containers stayed is still told of, as not ready: whoever looks after the pod must know of both."""
    members: dict[str, list[dict]] = defaultdict(list)
    pauses: dict[str, dict] = {}
    for row in rows:
        if is_sandbox(row):
            pauses[row["Id"]] = row
        elif row["Id"] in containers:
            members[row["Labels"].get(labels.SANDBOX, "")].append(row)
    found = []
    for sandbox_id in pauses.keys() | members.keys():
        pause = pauses.get(sandbox_id)
        about = (pause or members[sandbox_id][0])["Labels"]
        inside = sorted((containers[m["Id"]] for m in members[sandbox_id]), key=lambda c: c.created_at, reverse=True)
        found.append(
            Sandbox(
                id=sandbox_id,
                cluster=about[labels.CLUSTER],
                node=about[labels.NODE],
                namespace=about[labels.NAMESPACE],
                name=about[labels.POD],
                uid=about[labels.UID],
                ready=pause is not None and pause["State"] == "running",
                address=about.get(labels.ADDRESS) or (_address(pause) if pause else ""),
                created_at=float(pause["Created"]) if pause else 0.0,
                containers=tuple(inside),
            )
        )
    return found


def _address(row: dict) -> str:
    networks = row["NetworkSettings"]["Networks"].values()
    return next((network["IPAddress"] for network in networks if network["IPAddress"]), "")
