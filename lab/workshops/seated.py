"""What the pages of a learner have in common where they do something: whose seat it is."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

from lab.apimachinery.errors import ApiError
from lab.dashboard.answers import refused

from .gate import COOKIE
from .seats import seat_of

View = Callable[..., HttpResponse]


def seated(view: View) -> View:
    """For who has a seat, which the view gets; to others the answer is 403. An ApiError is told in words."""

    @wraps(view)
    def entered(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        seat = seat_of(request.COOKIES.get(COOKIE, ""))
        if seat is None:
            return HttpResponse(status=403)
        try:
            return view(request, seat, *args, **kwargs)
        except ApiError as error:
            return refused(error)

    return entered
