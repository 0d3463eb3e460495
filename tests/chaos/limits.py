"""A machine that is short of something: disk, file descriptors, memory, or the right to write."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.config.settings import Settings
from tests.chaos.home import NIGHTLY, TRACES, Home, Marts
from tests.soak.command import Ended

MB = 1_000_000
# Free room above the stored home, from none to nearly what a night needs.
FREE_MB = (0, 2, 5, 10, 20, 40)
DESCRIPTORS, MEMORY = 64, 4_000 * MB


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A file system of its own at `folder`; needs root."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", *options, str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def limited(stored: Settings, expected: Marts, folder: Path) -> Iterator[str]:
    """A line for each limit; begins with `WRONG` where something did not hold."""
    for name, limit in (
        (f"{DESCRIPTORS} file descriptors", f"NOFILE, {(DESCRIPTORS,) * 2}"),
        ("4 GB of address space", f"AS, {(MEMORY,) * 2}"),
    ):
        home = Home.copy(stored, folder / name.replace(" ", "-"))
        ended = home.apart(*NIGHTLY, limit=f"resource.setrlimit(resource.RLIMIT_{limit})")
        yield _judged(name, home, ended, expected)
    if os.geteuid() != 0:
        yield "full disks and a read-only home were not tried: only root may mount"
        return
    for free in FREE_MB:
        with mounted(folder / f"disk-{free}", "-t", "tmpfs", "tmpfs") as disk:
            home = Home.copy(stored, disk)
            _resize(disk, free * MB)
            ended = home.apart(*NIGHTLY)
            if ended.code and "make room" not in ended.err:
                yield f"WRONG: {free} MB free: no word of room: {ended.err}"
            _resize(disk, 2_000 * MB)
            yield _judged(f"{free} MB free on the disk", home, ended, expected)
    yield from _read_only(stored, folder)


def _resize(disk: Path, free: int) -> None:
    """Leave so many bytes of room."""
    size = shutil.disk_usage(disk).used + free
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def _judged(name: str, home: Home, ended: Ended, expected: Marts) -> str:
    """How a night under a limit ended, and whether the one after it makes all good."""
    wrong = [*home.wrong(), *(one for one in TRACES if one in ended.err)]
    last = (ended.err.strip().splitlines() or [""])[-1]
    after = home.night()
    if after.code:
        wrong.append(f"the next night ended with {after.code}: {after.err}")
    else:
        wrong += [*home.difference(expected), *home.wrong(), *home.litter()]
    told = f"{name}: {'published' if ended.code == 0 else f'ended with {ended.code}, {last}'}"
    if wrong:
        return f"WRONG: {told}: {'; '.join(wrong)}"
    return f"{told}; the next night: all as it should be"


def _read_only(stored: Settings, folder: Path) -> Iterator[str]:
    place = folder / "read-only"
    shutil.copytree(stored.home, place / "of" / "home", symlinks=True)
    with mounted(place / "seen", "--bind", str(place / "of")) as seen:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(seen)], check=True)
        home = Home(stored.model_copy(update={"home": seen / "home"}))
        for arguments in (["status"], ["versions"], ["sql", "select count(*) from fct_leak"]):
            ended = home.apart(*arguments)
            if any(one in ended.err for one in TRACES) or ended.err.startswith("Error"):
                yield f"WRONG: read-only home, {arguments[0]}: {ended.err}"
        for arguments in (["nightly"], ["rollback"]):
            ended = home.apart(*arguments)
            if ended.code != 1 or any(one in ended.err for one in TRACES):
                yield f"WRONG: read-only home, {arguments[0]} ended with {ended.code}: {ended.err}"
            else:
                yield f"read-only home, {arguments[0]}: {ended.err.strip().splitlines()[-1]}"
