"""`manage.py down`: stop the lab and leave nothing of it on the engine but what nobody could make again: volumes, which
hold what users wrote, and the images that were built here and that a cluster names.

The database stays too, so the next `up` brings all clusters back, with both. `--purge` ends all three.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from lab import demos, parts
from lab.apimachinery.engines import DOCKER
from lab.management.needed import images_needed
from lab.runtime import Runtime, RuntimeFailure
from lab.runtime.engines import detect, open_runtime
from lab.supervisor.engines import FurtherEngine, further_engines
from lab.supervisor.state import HOME, is_running, read_run

Volume = tuple[Runtime, str, str]
STOP_SECONDS = 40.0
AT_ONCE = 8  # an engine takes no more removals than this at a time


class Command(BaseCommand):
    help = (
        "Stop the lab and remove every container, network and image that it made on the engine. "
        "Clusters stay, with their volumes and the images they have had built; --purge removes these too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", metavar="DIR", help="the lab's data folder")
        parser.add_argument(
            "--purge", action="store_true", help="remove the data folder, with all clusters, volumes and images"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask before --purge")
        parser.add_argument(
            "--engine", metavar="NAME", help="only what was made on this one, as docker.b, which is at DOCKER_HOST"
        )
        parser.add_argument(
            "--pods-only", action="store_true", help="stop the pods and nothing else; `up` ends with it"
        )

    def handle(self, **options: Any) -> None:
        if options["pods_only"]:
            end_processes()
            remove_pods(engine(options["engine"] or DOCKER))
            return
        if options["engine"]:
            self.clear(options["engine"], options["purge"])
            return
        if is_running(settings.DATA_DIR):
            self.stop_lab()
        elif still := kubelets_there():
            raise CommandError(f"A kubelet still runs and would make it all anew: {', '.join(still)}. Stop it first.")
        for further in further_engines(settings.DATA_DIR):
            self.clear_further(further, options["purge"] and options["yes"])
        needed = images_needed()
        if not self.remove(needed):
            self.stdout.write("There was nothing to remove on the engine.")
        kept = volumes(engine())
        if options["purge"]:
            self.purge(options["yes"], kept)
            return
        said = [f"kept image {name}" for name in built(engine(), needed)]
        said += [f"kept volume {name} of cluster {cluster}" for _, cluster, name in kept]
        if said:
            self.stdout.write("\n".join([*said, "Nobody could make these again; `down --purge` removes them too."]))

    def clear_further(self, engine: FurtherEngine, purge: bool) -> None:
        """The same on another engine, in a process of its own: which one a process talks to, its environment says."""
        words = [sys.executable, "manage.py", "down", "--engine", f"docker.{engine.name}"]
        words += ["--purge"] if purge else []
        self.stdout.write(f"On engine {engine.name}, {engine.address}:")
        self.stdout.flush()
        with engine.reached(settings.DATA_DIR) as env:
            subprocess.run(words, cwd=HOME, env={**os.environ, **env}, stdin=subprocess.DEVNULL)

    def clear(self, name: str, purge: bool) -> None:
        """What was made on that engine, and nothing else of the lab."""
        runtime = engine(name)
        if not runtime:
            raise CommandError("It does not answer; what was made there stays.")
        for line in runtime.remove_everything(() if purge else images_needed()):
            self.stdout.write(f"removed {line}")
        for cluster, volume in runtime.volumes.present() if purge else ():
            runtime.volumes.remove(cluster, volume)
            self.stdout.write(f"removed volume {volume} of cluster {cluster}")

    def remove(self, keep: Collection[str]) -> list[str]:
        removed = remove_everything(keep)
        for line in removed:
            self.stdout.write(f"removed {line}")
        return removed

    def stop_lab(self) -> None:
        """What Ctrl-C does, from outside."""
        pid = read_run(settings.DATA_DIR).get("pid")
        if not pid:
            raise CommandError("The lab is just starting; try again in a moment.")
        self.stdout.write(f"Stopping the lab (process {pid}) ...")
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while is_running(settings.DATA_DIR):
            if time.monotonic() > deadline:
                raise CommandError(f"The lab does not stop. End process {pid} by hand, then run this again.")
            time.sleep(0.1)

    def purge(self, sure: bool, kept: list[Volume]) -> None:
        folder = settings.DATA_DIR
        history = connection.vendor == "sqlite"  # else it lies elsewhere
        what = f"{folder}" + (" with all clusters and their history" if history else "")
        what += f", and {len(kept)} volumes" if kept else ""
        try:
            if not sure and input(f"Remove {what}? Type yes: ") != "yes":
                self.stdout.write("Kept.")
                return
        except EOFError:
            raise CommandError("Kept: nobody is there to be asked. With --yes nobody is.") from None
        self.remove(())
        for runtime, cluster, name in kept:
            try:
                runtime.volumes.remove(cluster, name)
            except RuntimeFailure as failure:
                raise CommandError(f"Volume {name} stays: {failure.message}") from failure
            self.stdout.write(f"removed volume {name} of cluster {cluster}")
        remove_folder(folder)
        self.stdout.write(f"removed {folder}")


def kubelets_there() -> list[str]:
    """Workers that look after an engine, as the broker has heard: of services that compose has started, or on other
    machines."""
    try:
        return parts.staying(lambda one: one.get("engines"))
    except redis.RedisError:
        return []


def remove_folder(folder: Path) -> None:
    """With all that is in it. One that a container has been given, as compose does, can only be emptied from inside."""
    if not folder.is_mount():
        shutil.rmtree(folder)
        return
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()


def engine(name: str = DOCKER) -> Runtime | None:
    """The Docker engine, where one answers. What is simulated ends with the lab itself."""
    return open_runtime(name, settings.LAB_ID, settings.DATA_DIR) if detect() == "docker" else None


def volumes(runtime: Runtime | None) -> list[Volume]:
    """What pods have been given to keep, on the engine and as folders: (where, cluster, name)."""
    local = open_runtime("process", settings.LAB_ID, settings.DATA_DIR)
    try:
        return [(each, *volume) for each in (runtime, local) if each for volume in each.volumes.present()]
    except RuntimeFailure as failure:
        raise CommandError(f"The engine refused: {failure.message}") from failure


def built(runtime: Runtime | None, needed: Collection[str]) -> list[str]:
    """The names of the images that were built here and are needed still."""
    try:
        present = runtime.images.present() if runtime else []
    except RuntimeFailure as failure:
        raise CommandError(f"The engine refused: {failure.message}") from failure
    names = {name for image in present if image.ours for name in image.names}
    return sorted(names.intersection(needed).difference(demos.IMAGES))


def end_processes() -> list[str]:
    """Usually the process engine is a child of the supervisor and ends with it. One that a kubelet started, because a
    node of its kind was added to a lab with Docker, has nobody but us."""
    return open_runtime("process", settings.LAB_ID, settings.DATA_DIR).remove_everything()


def remove_everything(keep: Collection[str]) -> list[str]:
    """But for images that were built, and are called so; what was removed, in words."""
    runtime = engine()
    try:
        return end_processes() + (runtime.remove_everything(keep) if runtime else [])
    except RuntimeFailure as failure:
        raise CommandError(f"The engine refused: {failure.message}") from failure


def remove_pods(runtime: Runtime | None) -> None:
    """As when a machine is switched off: nothing runs any more, and the next `up` starts all of it again."""
    if not runtime:
        return
    try:
        sandboxes = [sandbox.id for sandbox in runtime.list_pods()]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(runtime.remove_pod_sandbox, sandboxes))
        runtime.remove_gateways()
    except RuntimeFailure as failure:
        raise CommandError(f"Some containers still run: {failure.message}") from failure
