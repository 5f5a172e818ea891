"""What is wanted, in HAProxy's words. Pure.

The sockets are ours and handed over by number (`fd@7`). A server is named `pod:version:key`, so that the headers which
say who answered come from the name alone.
"""

import re

from ..listeners import FRONT_DOORS, Place
from ..pages import NOBODY, PLAIN, broken_off, unreached
from ..plan import Backend, Plan, Server

STRAYS = "strays.sock"  # where this program itself answers
GLOBAL = """global
    stats socket unix@{admin} mode 600 level admin
    stats timeout 20d
    nbthread 1
    maxconn {connections}
defaults
    mode http
    option redispatch 1
    retries 3
    retry-on conn-failure
    http-reuse safe
    option forwardfor
    timeout connect 1s
    timeout http-request 30s
    timeout http-keep-alive 60s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
"""
# What every HTTP frontend does. Of a process that only finishes, each connection ends with its next answer: closed
# while it waits, it might be closed just as a request is on its way.
HTTP = """    http-request set-header X-Request-Id %[uuid()] unless { req.hdr(X-Request-Id) -m found }
    http-after-response set-header Connection close if { str(all),map_str(retired.map) -m found } !{ status 101 }"""
FRONT = "front-door"


def proxy_name(backend_id: str) -> str:
    return "to-" + _quoted(backend_id)


def server_name(server: Server) -> str:
    return ":".join(map(_quoted, (server.pod, server.version, server.key)))


def key_of(server: str) -> str:
    return re.sub(r"_([0-9a-f]{2,6})_", lambda found: chr(int(found[1], 16)), server.rpartition(":")[2])


def _quoted(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):02x}_", text)


def shape(plan: Plan, numbers: dict[Place, int]) -> tuple:
    """What cannot be changed while HAProxy runs: if it is the same, only servers differ."""
    backends = {key: (backend.mode, backend.affinity) for key, backend in plan.backends.items()}
    return backends, dict(plan.listeners), list(plan.hosts), dict(numbers)


def configuration(plan: Plan, numbers: dict[Place, int], admin: str, connections: int) -> str:
    """The whole file. `numbers`: of each listener's file descriptor."""
    parts = [GLOBAL.format(admin=admin, connections=connections)]
    if doors := [numbers[place] for place in FRONT_DOORS if place in numbers]:
        parts.append(_front_door(doors))
    for index, (place, number) in enumerate(numbers.items()):
        if place not in FRONT_DOORS:
            backend = plan.listeners[place]
            mode = plan.backends[backend].mode
            lines = [f"frontend at-{index}", f"    mode {mode}", f"    bind fd@{number}"]
            lines += [HTTP] if mode == "http" else []
            parts.append("\n".join([*lines, f"    default_backend {proxy_name(backend)}"]))
    parts += [_backend(key, backend) for key, backend in plan.backends.items()]
    return "\n".join([*parts, f"backend strays\n    server strays unix@{STRAYS}\n"])


def _front_door(numbers: list[int]) -> str:
    """Looks the backend up in two maps: of whole paths, and of beginnings that end with a path's element."""
    lines = [f"frontend {FRONT}", *(f"    bind fd@{number}" for number in numbers), HTTP]
    lines += [
        "    http-request set-var(txn.host) req.hdr(host),field(1,:),lower",
        "    http-request set-var(txn.wild) var(txn.host),regsub(^[^.]*,*)",
        "    http-request set-var(txn.any) str()",
        "    http-request set-var(txn.path) path",
    ]
    for name in ("host", "wild", "any"):
        missing = "unless { var(txn.to) -m found }"
        whole = f"var(txn.{name}),concat(,txn.path)"
        lines.append(f"    http-request set-var(txn.to) {whole},map_str(exact.map) {missing}")
        lines.append(f"    http-request set-var(txn.to) {whole},concat(/),map_beg(prefix.map) {missing}")
    lines.append("    use_backend strays if { url -m beg -i http:// } { src 127.0.0.0/8 ::1 }")
    lines.append("    use_backend %[var(txn.to)] if { var(txn.to) -m found }")
    return "\n".join([*lines, "    default_backend strays"])


def retirement(numbers: dict[Place, int]) -> list[str]:
    """The Runtime API's commands by which a process takes no new connection. As it is not told to stop, its servers
    can still be changed."""
    fronts = [FRONT if place in FRONT_DOORS else f"at-{index}" for index, place in enumerate(numbers)]
    return ["add map retired.map all yes", *(f"shutdown frontend {front}" for front in dict.fromkeys(fronts))]


def notes(plan: Plan) -> dict[str, str]:
    """What is known of why nobody serves a backend, by its proxy's name."""
    return {proxy_name(key): _plain(backend.note) for key, backend in plan.backends.items() if backend.note}


def note_changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The Runtime API's commands from one set of notes to another."""
    gone = [f"del map notes.map {name}" for name, note in before.items() if after.get(name) != note]
    new = {name: re.sub(r"([ ;])", r"\\\1", note) for name, note in after.items() if before.get(name) != note}
    return gone + [f"add map notes.map {name} {note}" for name, note in new.items()]


def maps(plan: Plan) -> dict[str, str]:
    """File name → content. Of two rules for the same the first holds."""
    exact: dict[str, str] = {}
    prefix: dict[str, str] = {}
    for each in plan.hosts:
        if each.exact:
            exact.setdefault(each.host + each.path, proxy_name(each.backend))
        else:
            prefix.setdefault(f"{each.host}{each.path.rstrip('/')}/", proxy_name(each.backend))
    tables = {"exact.map": exact, "prefix.map": prefix, "notes.map": notes(plan), "retired.map": {}}
    return {name: "".join(f"{key} {value}\n" for key, value in table.items()) for name, table in tables.items()}


def _backend(key: str, backend: Backend) -> str:
    lines = [f"backend {proxy_name(key)}", f"    mode {backend.mode}", "    balance roundrobin"]
    if backend.affinity:
        lines += [f"    stick-table type ip size 10k expire {backend.affinity}s", "    stick on src"]
    if backend.mode == "http":
        for status, words in ((502, broken_off(backend.service)), (503, unreached(backend.service))):
            lines.append(f'    http-error status {status} content-type "{PLAIN}" string "{_plain(words.strip())}"')
        note = f"%[str({proxy_name(key)}),map_str(notes.map,{NOBODY})]"
        said = f'lf-string "{_plain(backend.service)}: {note}.\\n"'
        lines.append(f'    http-request return status 503 content-type "{PLAIN}" {said} if {{ nbsrv eq 0 }}')
        version = "%[srv_name,field(2,:)] if { srv_name,field(2,:) -m len gt 0 }"
        lines.append("    http-response set-header X-Orrery-Pod %[srv_name,field(1,:)]")
        lines.append(f"    http-response set-header X-Orrery-Version {version}")
    lines += [f"    {_server(each)}" for each in backend.servers.values()]
    return "\n".join(lines)


def _plain(words: str) -> str:
    """Only what has no meaning of its own within quotes."""
    return re.sub(r"[^ !#$&-[\]-~]", "?", words)


def _server(server: Server) -> str:
    state = f"weight {server.weight}" if server.weight else "weight 1 disabled"
    return f"server {server_name(server)} {_address(server)} {state}"


def _address(server: Server) -> str:
    return f"{server.address}:{server.port}"


def changes(backend: str, before: dict[str, Server], after: dict[str, Server]) -> list[str]:
    """The Runtime API's commands from one set of servers (by name) to another; who is gone is only put to rest.

    At rest means maintenance and not drain: a client that stays with its server would still be sent to one in drain.
    """
    commands = []
    for name, server in after.items():
        old, place = before.get(name), f"{proxy_name(backend)}/{name}"
        if old is None:
            commands.append(f"add server {place} {_address(server)} weight {server.weight or 1}")
        elif (old.address, old.port) != (server.address, server.port):
            commands.append(f"set server {place} addr {server.address} port {server.port}")
        if old and server.weight and old.weight != server.weight:
            commands.append(f"set server {place} weight {server.weight}")
        was_ready = old is not None and old.weight > 0
        if was_ready != (server.weight > 0):
            commands.append(f"set server {place} state {'ready' if server.weight else 'maint'}")
    for name, old in before.items():
        if name not in after and old.weight:
            commands.append(f"set server {proxy_name(backend)}/{name} state maint")
    # Who comes first, who goes last: where all traffic moves at once there is no moment at which nobody is ready.
    return sorted(commands, key=lambda command: command.endswith(" maint"))
