"""The links of clusters whose nodes stand on several engines: kubelets carry them to each other.

In Kubernetes each node runs a network plugin, which knows of every node its range and where its machine answers, as
these do: of two kubelets the one whose engine's name comes first asks the other's HTTP server, `POST /link/<cluster>/
<engine>`, and both bodies, without an end, are the two ways of the wire. A link that breaks is opened anew.
"""

import asyncio
import http.client
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlencode, urlsplit

from lab.apimachinery.tasks import until_first_ends
from lab.client import kubelet_token
from lab.httpserver import Receive, Scope, Send
from lab.runtime import Linkable, RuntimeFailure, Stream
from lab.runtime.stream import STDOUT

from .neighbours import End, Neighbours

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
CALL_SECONDS = 15.0  # the other end makes a container first
PIECE_BYTES = 1 << 16
# A machine that is gone without a word is noticed after six seconds.
ALIVE = ((socket.SO_KEEPALIVE, 1), (socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 2))


class Links:
    """Those of one engine. `closed` says whether a cluster's network is one of a stranger's."""

    def __init__(self, runtime: Linkable, neighbours: Neighbours, closed: Callable[[str], bool]):
        self._runtime = runtime
        self._neighbours = neighbours
        self._closed = closed
        self._links: dict[tuple[str, str], Link] = {}  # (cluster, the other engine)
        self._legs: dict[str, str] = {}  # cluster → the range of its network here, where none of its nodes stands
        self._troubles: dict[str, str] = {}  # cluster → why pods of it cannot be reached
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{runtime.engine}-links", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    @property
    def trouble(self) -> str:
        """What is the matter with one of them; "" if all stand."""
        return next((f"{cluster}: {words}" for cluster, words in sorted(self._troubles.copy().items())), "")

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self._look()
            except Exception:  # without this thread no link is ever opened anew
                log.exception("links are looked at again")
        self._keep({})

    def _look(self) -> None:
        joined = self._neighbours.joined()
        for memory in (self._legs, self._troubles):
            for cluster in set(memory) - set(joined):
                del memory[cluster]
        self._keep({link: ends for cluster in joined for link, ends in self._of(cluster)})

    def _of(self, cluster: str) -> list[tuple[tuple[str, str], tuple[End, End]]]:
        """The links that it is for us to open: both ends of each, by cluster and engine."""
        own = self._neighbours.own(cluster)
        others = [end for end in self._neighbours.others(cluster) if end.url and end.engine > own.engine]
        if others and not own.ranges and not self._has_leg(cluster):
            return []
        return [((cluster, end.engine), (own, end)) for end in others]

    def _has_leg(self, cluster: str) -> bool:
        """Whether its network stands here, though none of its nodes does."""
        network = self._neighbours.network(cluster)
        if self._legs.get(cluster) == network:
            return True
        try:
            self._runtime.share_network(cluster, network, self._closed(cluster))
        except RuntimeFailure as failure:
            self._note(cluster, f"its pods cannot be reached from here: {failure.message}")
            return False
        self._legs[cluster] = network
        return True

    def _note(self, cluster: str, trouble: str) -> None:
        if self._troubles.get(cluster) != trouble:
            log.warning("%s: %s", cluster, trouble)
        self._troubles[cluster] = trouble

    def _keep(self, wanted: dict[tuple[str, str], tuple[End, End]]) -> None:
        for key, link in list(self._links.items()):
            if link.trouble:
                self._note(key[0], link.trouble)
            elif link.stands:
                self._troubles.pop(key[0], None)
            if wanted.get(key) != link.ends or link.over:
                link.close()
                del self._links[key]
                self._legs.pop(key[0], None)  # perhaps it is that which is gone
        for key, ends in wanted.items():
            if key not in self._links:
                self._links[key] = Link(self._runtime, key[0], ends)


class Link:
    """One, from this end, until it breaks: then it is `over`. `trouble`: why, unless that was wished for."""

    def __init__(self, runtime: Linkable, cluster: str, ends: tuple[End, End]):
        self._runtime, self._cluster = runtime, cluster
        self.ends = ends
        self.stands = self.over = False
        self.trouble = ""
        self._socket: socket.socket | None = None
        self._closed = False
        threading.Thread(target=self._run, name=f"link-{cluster}-{ends[1].engine}", daemon=True).start()

    def close(self) -> None:
        self._closed = True
        if self._socket:
            _shut(self._socket)

    def _run(self) -> None:
        own, far = self.ends
        try:
            connection, answer = ask(self._cluster, own, far)
            self._socket = connection.sock
            try:
                stream = self._runtime.open_link(self._cluster, far.engine, far.ranges)
                log.info("%s is linked with %s", self._cluster, far.engine)
                self.stands = True
                self._carry(stream, connection.sock, answer)
            finally:
                connection.close()
        except (RuntimeFailure, OSError, http.client.HTTPException) as error:
            self.trouble = "" if self._closed else f"it is not linked with {far.engine}: {error}"
        finally:
            self.stands, self.over = False, True

    def _carry(self, stream: Stream, wire: socket.socket, answer: http.client.HTTPResponse) -> None:
        outward = threading.Thread(target=_outward, args=(stream, wire), name="link-outward", daemon=True)
        outward.start()
        try:
            while not self._closed and (piece := answer.read1(PIECE_BYTES)):
                stream.write(piece)
        finally:
            stream.close()
            outward.join(5)


def ask(cluster: str, own: End, far: End) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Ask the other kubelet for its end; the connection, on which our body goes on, and its answer. Raises OSError,
    HTTPException."""
    address = urlsplit(far.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=CALL_SECONDS)
    query = urlencode([("engine", own.engine), *(("range", cidr) for cidr in own.ranges)])
    connection.putrequest("POST", f"/link/{cluster}/{far.engine}?{query}", skip_accept_encoding=True)
    connection.putheader("Authorization", f"Bearer {kubelet_token()}")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    answer = connection.getresponse()
    if answer.status != 200:
        raise http.client.HTTPException(answer.read(1000).decode(errors="replace").strip())
    connection.sock.settimeout(None)
    for option, value in ALIVE:
        level = socket.SOL_SOCKET if option == socket.SO_KEEPALIVE else socket.IPPROTO_TCP
        connection.sock.setsockopt(level, option, value)
    return connection, answer


def _outward(stream: Stream, wire: socket.socket) -> None:
    try:
        while said := stream.read():
            kind, piece = said
            if kind == STDOUT:
                wire.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
    except OSError as error:
        log.debug("a link ends: %s", error)
    _shut(wire)


def _shut(wire: socket.socket) -> None:
    try:
        wire.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side has hung up


async def serve(runtime: Linkable, cluster: str, scope: Scope, receive: Receive, send: Send) -> None:
    """The other end, for the kubelet that asks for it. Raises RuntimeFailure before it has answered."""
    query = parse_qs(scope["query_string"].decode())
    loop, pool = asyncio.get_running_loop(), ThreadPoolExecutor(2, "link")
    engine, ranges = query.get("engine", [""])[0], query.get("range", [])
    stream = await loop.run_in_executor(pool, runtime.open_link, cluster, engine, ranges)

    async def outward() -> None:
        while said := await loop.run_in_executor(pool, stream.read):
            if said[0] == STDOUT:
                await send({"type": "http.response.body", "body": said[1], "more_body": True})

    async def inward() -> None:
        while (message := await receive())["type"] == "http.request":
            if message.get("body"):
                await loop.run_in_executor(pool, stream.write, message["body"])

    try:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await until_first_ends(outward(), inward())
    except OSError as error:
        log.debug("a link of %s ends: %s", cluster, error)
    finally:
        await loop.run_in_executor(None, stream.close)
        pool.shutdown(wait=False)
