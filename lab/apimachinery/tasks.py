"""Tasks that end together: the two directions of a stream, and what watches over them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine


async def until_first_ends(*coroutines: Coroutine) -> None:
    """Run all at once; when one has ended the others are cancelled, and what it raised is raised."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def every(seconds: float, do: Callable[[], Awaitable[object]]) -> None:
    """Await `do()` again and again, for ever."""
    while True:
        await asyncio.sleep(seconds)
        await do()
