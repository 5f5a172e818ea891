"""Where the engine is found: one engine a data directory."""

from pathlib import Path

from lab import sockets


def folder(data_dir: Path) -> Path:
    """The engine's files: its lock, the networks it gave out, a folder for each container."""
    path = data_dir / "process"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def socket_path(data_dir: Path) -> Path:
    return sockets.socket_path(folder(data_dir), "engine.sock")
