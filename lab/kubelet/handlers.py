"""The ways to ask a container something: HTTP GET, a TCP connection, a command. Probes and lifecycle hooks share them.

Messages are those of a real kubelet, since people search for them. Source: pkg/probe/http, pkg/probe/tcp.
"""

import asyncio
import ssl
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

from lab.runtime import Runtime, RuntimeFailure
from lab.runtime.stream import ExecResult, hear_out

from .pods import port_number

USER_AGENT = "kube-probe/1.36"
LONGEST_OUTPUT = 10 * 1024
LONGEST_LINE = 256


@dataclass(frozen=True)
class Target:
    """The container to ask."""

    container: dict
    container_id: str
    address: str
    cluster: str = ""


async def ask(runtime: Runtime, pool: Executor, target: Target, handler: dict, timeout: float) -> tuple[bool, str]:
    """Do what `handler` (a Probe or a LifecycleHandler) says; success, and the words for a failure."""
    try:
        if "httpGet" in handler:
            return await _http_get(target, handler["httpGet"], timeout)
        if "tcpSocket" in handler:
            return await _tcp_socket(target, handler["tcpSocket"], timeout)
        if "exec" in handler:
            return await _exec(runtime, pool, target, handler["exec"].get("command") or [], timeout)
        if "sleep" in handler:
            await asyncio.sleep(handler["sleep"].get("seconds", 0))
            return True, ""
    except ValueError as error:
        return False, str(error)
    return False, "grpc probes are not supported by this kubelet"


async def _http_get(target: Target, action: dict, timeout: float) -> tuple[bool, str]:
    host, port = target.address, port_number(target.container, action["port"])
    scheme = action.get("scheme", "HTTP")
    path = "/" + (action.get("path") or "/").lstrip("/")
    url = f"{scheme.lower()}://{host}:{port}{path}"
    try:
        async with asyncio.timeout(timeout):
            code = await _status_code(host, port, scheme, path, action.get("httpHeaders") or ())
    except TimeoutError:
        return False, f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    except (OSError, EOFError) as error:
        return False, f'Get "{url}": dial tcp {host}:{port}: {_reason(error)}'
    return 200 <= code < 400, f"HTTP probe failed with statuscode: {code}"


async def _status_code(host: str, port: int, scheme: str, path: str, headers: Iterable[dict]) -> int:
    context = None
    if scheme == "HTTPS":
        # As in Kubernetes: a probe asks whether it answers, not who it is.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        given = {entry["name"].lower(): entry["value"] for entry in headers}
        fields = {"host": f"{host}:{port}", "user-agent": USER_AGENT, "accept": "*/*", "connection": "close"} | given
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        first = (await reader.readline())[:LONGEST_LINE].split()
        if len(first) < 2 or not first[0].startswith(b"HTTP/") or not first[1].isdigit():
            raise EOFError("malformed HTTP response")
        return int(first[1])
    finally:
        writer.close()


async def _tcp_socket(target: Target, action: dict, timeout: float) -> tuple[bool, str]:
    host, port = target.address, port_number(target.container, action["port"])
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return False, f"dial tcp {host}:{port}: i/o timeout"
    except OSError as error:
        return False, f"dial tcp {host}:{port}: {_reason(error)}"
    writer.close()
    return True, ""


def _reason(error: BaseException) -> str:
    return "connect: connection refused" if isinstance(error, ConnectionRefusedError) else str(error)


async def _exec(
    runtime: Runtime, pool: Executor, target: Target, command: list[str], timeout: float
) -> tuple[bool, str]:
    def run() -> ExecResult:
        return hear_out(runtime.exec(target.container_id, command), timeout)

    try:
        result = await asyncio.get_running_loop().run_in_executor(pool, run)
    except TimeoutError:
        return False, f"command {' '.join(command)!r} timed out after {timeout:g} s"
    except RuntimeFailure as failure:
        return False, failure.message
    output = (result.stdout + result.stderr)[:LONGEST_OUTPUT].decode(errors="replace").strip()
    return result.exit_code == 0, output or f"command exited with {result.exit_code}"
