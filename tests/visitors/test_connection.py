"""One connection to the front door, where the program as a whole cannot bring the moment about."""

import asyncio

from lab.visitors.program.connection import Connection, Ending, Request


async def test_a_connection_that_comes_when_its_time_has_just_run_out_is_hung_up(door):
    """The loop may have the connection and the time-out in one turn, and takes the time-out first."""
    endings: list[Ending] = []
    connection = Connection(lambda connection, ending: endings.append(ending), lambda connection: None)
    connection.send(Request("id", b"GET / HTTP/1.1\r\n\r\n", sent=0.0, timeout=0.0), ("127.0.0.1", door.port))
    while not endings:
        await asyncio.sleep(0)
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", door.port)
    assert [ending.kind for ending in endings] == ["timeout"]
    assert transport.is_closing()
    assert door.requests == []
