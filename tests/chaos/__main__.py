"""`python -m tests.chaos`: see the package. Ends with 1 if anything was found."""

import argparse
import os
import random
import signal
import sys

from .clock import COMPILER
from .faultnames import OWN, names_of
from .run import Run

OWN_CLOCK = "own" if COMPILER else "right"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Break a lab at random, and look.")
    parser.add_argument("--minutes", type=float, default=20, help="how long (default: %(default)g)")
    parser.add_argument("--rounds", type=int, default=1_000_000, help="at most so many")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="what is done follows from it")
    parser.add_argument("--runtime", choices=("process", "docker"), default="process")
    parser.add_argument("--broker", choices=("bundled", "redis"), default="bundled", help="redis: its way can stutter")
    parser.add_argument("--engine", choices=("own", "shared"), default="own", help="of docker: shared is not stopped")
    parser.add_argument("--clock", choices=("own", "right"), default=OWN_CLOCK, help="own: it is set wrong (processes)")
    parser.add_argument("--postgresql", action="store_true", help="as the store, with a Redis of its own as the broker")
    parser.add_argument("--faults", default="", help="only these, by name, with commas between (default: all)")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=1)
    options = parser.parse_args()
    broker = "redis" if options.postgresql else options.broker
    again = f"--seed {options.seed} --runtime {options.runtime} --broker {broker} --engine {options.engine}"
    again += f" --clock {options.clock} --workers {options.workers}" + " --postgresql" * options.postgresql
    again += f" --faults {options.faults}" * bool(options.faults)
    print(f"python -m tests.chaos {again}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever is told to end leaves nothing either
    has = {
        "broker": broker == "redis",
        "engine": options.runtime == "docker" and options.engine == "own",
        "clock": options.runtime == "process" and options.clock == "own",  # an engine would go on by this machine's
        "database": options.postgresql,
        "second": options.workers == 2,
    }
    own = frozenset(name for name in OWN if has[name])
    faults = names_of(options.runtime, own)
    only = options.faults.split(",") if options.faults else faults
    if unknown := set(only) - set(faults):
        parser.error(f"this run has no fault {', '.join(sorted(unknown))}; it has {', '.join(dict.fromkeys(faults))}")
    run = Run(options.seed, options.runtime, own, tuple(name for name in faults if name in only))
    os.environ.update(
        {name: value for name, value in run.lab.env.items() if name == "DOCKER_HOST"}
    )  # looked at here too
    run.go(options.minutes * 60, options.rounds)
    print(run.findings)
    if run.findings.found:
        print(f"again: python -m tests.chaos {again} --rounds {run.findings.counts.get('rounds', 0) + 1}")
    return bool(run.findings.found)


if __name__ == "__main__":
    sys.exit(main())
