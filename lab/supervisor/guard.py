"""No orphans: when the supervisor is killed with SIGKILL it cannot tidy up, so somebody else must.

A tiny shell waits on a pipe whose other end only the supervisor holds. The kernel closes that end however the
supervisor dies; the shell then kills the process groups that it was last told of. Works on every Unix, where Linux's
`PR_SET_PDEATHSIG` does not, and takes the children's own children with it.
"""

import subprocess
import threading
from collections.abc import Iterable

SCRIPT = """
trap '' INT TERM HUP
groups=
while read -r line; do groups=$line; done
[ -z "$groups" ] || kill -s KILL -- $groups 2>/dev/null
"""


class Guard:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", SCRIPT], stdin=subprocess.PIPE, start_new_session=True, text=True
        )

    def watch(self, pids: Iterable[int]) -> None:
        """From now on these are the leaders of the process groups to kill; none: nothing to do."""
        assert self._shell.stdin
        with self._lock:
            self._shell.stdin.write(" ".join(f"-{pid}" for pid in pids) + "\n")
            self._shell.stdin.flush()

    def dismiss(self) -> None:
        """Everything ended in good order."""
        self._shell.communicate("\n")
