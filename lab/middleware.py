"""Django's middleware, without a thread for each of its halves.

In an asynchronous server Django makes a thread for each request and goes there and back for each half of each of these,
though none of them waits for anything; and WhiteNoise, which knows no other way, keeps that thread until the answer is
there. A thread must be begun and be given a processor first: eight times for one request, which is most of the time
that a quick answer takes, and where a class has taken the processors, a quarter of a second.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.middleware import clickjacking, csrf, security
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseMiddleware


class Unthreaded(MiddlewareMixin):
    """One whose halves are run where the request is."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.process_request(request) if hasattr(self, "process_request") else None
        response = response or await self.get_response(request)
        return self.process_response(request, response) if hasattr(self, "process_response") else response


class SecurityMiddleware(Unthreaded, security.SecurityMiddleware):
    pass


class XFrameOptionsMiddleware(Unthreaded, clickjacking.XFrameOptionsMiddleware):
    pass


class CsrfViewMiddleware(Unthreaded, csrf.CsrfViewMiddleware):
    async def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        return super().process_view(request, *view)


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any], *args: Any):
        super().__init__(get_response, *args)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        answer = super().__call__(request)
        return promised(answer) if iscoroutinefunction(self) else answer


async def promised(answer: FileResponse | Awaitable[HttpResponseBase]) -> HttpResponseBase:
    """A file is there already, and read where the request is; what is none is promised by whoever was called next."""
    if not isinstance(answer, FileResponse):
        return await answer
    answer.streaming_content = pieces(answer.streaming_content)
    return answer


async def pieces(content: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece
