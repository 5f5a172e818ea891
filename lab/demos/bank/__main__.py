"""Starts the bank. Environment, all optional (twelve-factor: one codebase, many deploys, configured from outside):

PART      bank: all parts in one program | ui | accounts | loans | payments | storage
STORE     where records are kept: memory | file:/data/bank.json | journal:/data/bank.journal | http://storage
FAULTS    what is broken from the start: `loans:slow=800,accounts:error`, see faults.py
BREAKER   on: stop asking a part that fails, see breaker.py
VERSION, PORT (8080), ADDRESS (all), POD_NAME, TIMEOUT_SECONDS (10) of a call, WORKERS (8) requests at a time,
PAGE (a file to show instead of page.html), <PART>_URL (where a part is, if not at http://<part>)
"""

import os
import sys

if __name__ == "__main__":
    # Started by its path, as in a container: the folder is the package `bank`.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    from bank.server import main

    main(os.environ)
