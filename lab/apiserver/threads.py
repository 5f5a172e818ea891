"""Threads for what blocks: the event loop serves hundreds of open streams and must never wait for a database.

Django would start a thread for each request, and each would open a connection of its own. These threads stay, and so
do their connections.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

Result = TypeVar("Result")
Args = ParamSpec("Args")
THREADS = 8

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="apiserver")


async def in_thread(function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Run a blocking function on one of the API server's threads."""
    work = partial(_connected, function, *args, **kwargs)
    # What the request is called, for logs, goes with it.
    return await asyncio.get_running_loop().run_in_executor(_pool, copy_context().run, work)


def _connected(function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    close_old_connections()  # one that broke (a database that was restarted) is replaced, as after a request
    return function(*args, **kwargs)
