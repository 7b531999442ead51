"""Messages set aside on disk: what a vendor sends over its quota waits here and not in front of the others.

One pile of files per sender, written at the end and read from the front, so that a sender's order stays. A
message is acknowledged to the broker once it is synced here. How far a pile is stored stands in the database,
written with the readings themselves: after a kill everything is read from there on, once. A file is only ever
written by the process that began it; its torn end, never acknowledged, is passed over. Decision record 0048.
"""

import hashlib
import logging
import mmap
import os
import shutil
import struct
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ingest.worker.inbox import Message

log = logging.getLogger("ingest")

KEY = "shelf/"
"""Of the places in the adapters' memory: ``shelf/<pile>`` -> ``<file>:<offset>``, all before is stored."""
MAGIC = b"CTshelf1"
FILE_BYTES = 32_000_000
RESERVE_BYTES = 1_000_000_000
"""So much of the disk is left to the store."""
LOOK_EVERY_S = 1.0
LONGEST = 1 << 28
"""No MQTT packet is longer."""
BLOCK = 1_500_000
_HEAD = struct.Struct("<IIdBH")
"""Of a record: bytes after it, their CRC 32, time of arrival, whether retained, bytes of the topic."""


@dataclass
class Pile:
    """The files of one sender by number; ``place``: read and stored up to, ``read``: read up to."""

    name: str
    files: list[int] = field(default_factory=list)
    place: tuple[int, int] = (0, 0)
    read: tuple[int, int] = (0, 0)
    synced: int = 0
    """Bytes of the file that is written that may be read."""
    out: BinaryIO | None = None
    waiting: int = 0
    held: int = 0
    """Messages that were read and are not stored yet."""

    @property
    def number(self) -> int:
        """Of the newest file; 0 when none was ever written."""
        return self.files[-1] if self.files else self.place[0]


class Shelf:
    """``limit``: bytes of all files; 0: nothing is ever set aside (what lies there is read).

    Not thread-safe: the writer's thread puts and takes.
    """

    def __init__(self, folder: Path, memory: Mapping[str, str], limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._piles: dict[str, Pile] = {}
        self._places = {k.removeprefix(KEY): v for k, v in memory.items() if k.startswith(KEY)}
        self._room, self._looked = 0, float("-inf")
        self._turn = 0
        for file in sorted(folder.glob("*.msgs")):
            self._adopt(file)
        for pile in [p for p in self._piles.values() if not p.files]:
            del self._piles[pile.name]
        if self._piles:
            log.info("%d messages of %s were set aside before and are read now", self.waiting,
                     ", ".join(self._piles))  # fmt: skip

    def _adopt(self, file: Path) -> None:
        """A file of an earlier life: what of it is not stored yet waits."""
        mark, _, number = file.stem.rpartition("-")
        name = _read_name(file)
        if name is None or not number.isdigit() or mark != _mark(name):
            file.unlink()
            return
        pile = self._piles.setdefault(name, Pile(name, place=_read_place(self._places.get(mark, "0:0"))))
        no, (at, offset) = int(number), pile.place
        if no < at or (no == at and offset >= file.stat().st_size):
            file.unlink()
            return
        if not pile.files:
            pile.place = pile.read = (no, offset if no == at else _start(name))
        pile.files.append(no)
        pile.waiting += _count(file, pile.place[1] if no == pile.place[0] else _start(name))

    @property
    def names(self) -> frozenset[str]:
        """Senders of whom something waits."""
        return frozenset(self._piles)

    @property
    def waiting(self) -> int:
        """Messages that are not read yet."""
        return sum(p.waiting for p in self._piles.values())

    def waiting_of(self, name: str) -> int:
        """Messages of one sender that are not stored yet."""
        pile = self._piles.get(name)
        return pile.waiting + pile.held if pile else 0

    def room(self) -> int:
        """Bytes that may still be set aside: of our own limit and of the disk."""
        now = time.monotonic()
        if self._limit and now - self._looked > LOOK_EVERY_S:
            self._looked = now
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                used = sum(f.stat().st_size for f in self._folder.glob("*.msgs"))
                free = shutil.disk_usage(self._folder).free - RESERVE_BYTES
            except OSError:
                used = free = 0
            self._room = max(min(self._limit - used, free), 0)
        return self._room

    def put(self, aside: Sequence[tuple[str, Message]]) -> None:
        """Write messages at the end of their senders' piles; after return they are on disk.

        Raises
        ------
        OSError : they are not, or not all; may be tried again, which writes them twice at worst
        """
        touched: dict[str, int] = {}
        try:
            for name, m in aside:
                topic = m.topic.encode()
                body = topic + m.payload
                out = self._open(name)
                out.write(
                    _HEAD.pack(len(body), zlib.crc32(body), m.received, int(m.retained), len(topic)) + body
                )
                touched[name] = touched.get(name, 0) + 1
                self._room -= _HEAD.size + len(body)
            for name in touched:
                self._sync(self._piles[name])
        except OSError:
            for name in touched:
                self._abandon(self._piles[name])
            raise
        for name, number in touched.items():
            self._piles[name].waiting += number

    def _open(self, name: str) -> BinaryIO:
        pile = self._piles.get(name)
        if pile is None:
            place = _read_place(self._places.get(_mark(name), "0:0"))
            pile = self._piles[name] = Pile(name, place=place)
        if pile.out is not None and pile.out.tell() > FILE_BYTES:
            self._sync(pile)
            pile.out.close()
            pile.out = None
        if pile.out is None:
            number = pile.number + 1
            self._folder.mkdir(parents=True, exist_ok=True)
            pile.out = self._file(name, number).open("wb", buffering=1 << 20)
            pile.files.append(number)
            if len(pile.files) == 1:
                pile.place = pile.read = (number, _start(name))
            raw = name.encode()
            pile.out.write(MAGIC + len(raw).to_bytes(2, "little") + raw)
            pile.synced = 0
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)  # the file's name is on disk too
            finally:
                os.close(folder)
        return pile.out

    @staticmethod
    def _sync(pile: Pile) -> None:
        if pile.out is not None:
            pile.out.flush()
            os.fdatasync(pile.out.fileno())
            pile.synced = pile.out.tell()

    @staticmethod
    def _abandon(pile: Pile) -> None:
        """Write on in a new file: the end of this one may be torn."""
        out, pile.out = pile.out, None
        if out is not None:
            try:
                out.close()
            except OSError as e:  # it is closed all the same
                log.warning("the shelf: %s", e)

    def take(self, limit: int, max_bytes: int) -> list[Message]:
        """Up to so many messages, senders in turn, each in its order; they count as read after ``done``."""
        found: list[Message] = []
        piles = list(self._piles.values())
        for i in range(len(piles)):
            pile = piles[(self._turn + i) % len(piles)]
            share = max((limit - len(found)) // (len(piles) - i), 0)
            room = max(max_bytes // (len(piles) - i), 1)  # one at least, after a large one of another
            for m in self._read(pile, share, room):
                found.append(m)
                max_bytes -= len(m.payload)
                pile.held += 1
                pile.waiting = max(pile.waiting - 1, 0)
        self._turn += 1
        return found

    def _read(self, pile: Pile, limit: int, max_bytes: int) -> Iterator[Message]:
        while limit > 0 and max_bytes > 0 and pile.files:
            number, offset = pile.read
            current = pile.out is not None and number == pile.files[-1]
            end = pile.synced if current else self._file(pile.name, number).stat().st_size
            block = _read_block(self._file(pile.name, number), offset, end)
            before = offset
            for size, m in _split(block):
                offset += size
                pile.read = (number, offset)
                limit -= 1
                max_bytes -= len(m.payload)
                yield m
                if limit <= 0 or max_bytes <= 0:
                    return
            if offset > before and offset < end:
                continue
            if number == pile.files[-1]:
                if not current:
                    pile.read = (number, end)  # a torn end: it was never acknowledged
                return
            if offset < end:
                log.warning("%s: %d bytes of its end cannot be read and were never acknowledged",
                            self._file(pile.name, number), end - offset)  # fmt: skip
            following = pile.files[pile.files.index(number) + 1]
            pile.read = (following, _start(pile.name))

    def places(self) -> dict[str, str]:
        """What is to be written with the readings of what was taken."""
        return {
            KEY + _mark(p.name): f"{p.read[0]}:{p.read[1]}" for p in self._piles.values() if p.read != p.place
        }

    def done(self) -> None:
        """What was taken is stored, with ``places``: let go of the files that are read."""
        for pile in list(self._piles.values()):
            pile.place, pile.held = pile.read, 0
            self._places[_mark(pile.name)] = f"{pile.place[0]}:{pile.place[1]}"
            while pile.files and pile.files[0] < pile.place[0]:
                self._file(pile.name, pile.files.pop(0)).unlink(missing_ok=True)
            last = pile.files == [pile.place[0]]
            if last and pile.place[1] >= self._end(pile):
                self._abandon(pile)
                self._file(pile.name, pile.files.pop()).unlink(missing_ok=True)
                del self._piles[pile.name]

    def _end(self, pile: Pile) -> int:
        return pile.synced if pile.out is not None else self._file(pile.name, pile.files[-1]).stat().st_size

    def close(self) -> None:
        """Let go of the files; what waits is read by the next process."""
        for pile in self._piles.values():
            self._abandon(pile)

    def _file(self, name: str, number: int) -> Path:
        return self._folder / f"{_mark(name)}-{number:08d}.msgs"


def _mark(name: str) -> str:
    """A sender as part of a file's name."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _start(name: str) -> int:
    """Where the records of a file begin."""
    return len(MAGIC) + 2 + len(name.encode())


def _read_name(file: Path) -> str | None:
    with file.open("rb") as f:
        head = f.read(len(MAGIC) + 2)
        if len(head) < len(MAGIC) + 2 or not head.startswith(MAGIC):
            return None
        raw = f.read(int.from_bytes(head[-2:], "little"))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _read_place(text: str) -> tuple[int, int]:
    number, _, offset = text.partition(":")
    return (int(number), int(offset)) if number.isdigit() and offset.isdigit() else (0, 0)


def _count(file: Path, offset: int) -> int:
    """Records of a file from ``offset`` on."""
    number, end = 0, file.stat().st_size
    if offset >= end:
        return 0
    with file.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        while offset + _HEAD.size <= end:
            size = _HEAD.unpack_from(whole, offset)[0]
            offset += _HEAD.size + size
            number += size > 0 and offset <= end
            if size == 0:
                break
    return number


def _read_block(file: Path, offset: int, end: int) -> bytes:
    """At least one whole record from ``offset`` on, if there is one before ``end``."""
    with file.open("rb", buffering=0) as f:
        f.seek(offset)
        block = f.read(min(BLOCK, max(end - offset, 0)))
        if len(block) >= _HEAD.size:
            size = _HEAD.size + int(_HEAD.unpack_from(block)[0])
            if len(block) < size <= min(end - offset, LONGEST):
                f.seek(offset)
                block = f.read(size)
    return block


def _split(block: bytes) -> Iterator[tuple[int, Message]]:
    """(bytes, message) of each whole record at the front."""
    at = 0
    while at + _HEAD.size <= len(block):
        size, crc, received, retained, topic = _HEAD.unpack_from(block, at)
        body = block[at + _HEAD.size : at + _HEAD.size + size]
        if len(body) < size or size == 0 or zlib.crc32(body) != crc:
            return
        at += _HEAD.size + size
        yield (
            _HEAD.size + size,
            Message(body[:topic].decode(), body[topic:], received, 0, 0, -1, 0, bool(retained)),
        )
