"""Reads dead letters again, after the adapter or the county's tables were mended."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.adapters import make_adapters
from ingest.store.batch import Batch, NoticeMark
from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Message

log = logging.getLogger("ingest")

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Redone:
    """What became of the letters: read whole and gone, still (partly) bad, cut and so not readable."""

    mended: int
    still_bad: int
    cut: int
    readings: int


def redo_dead_letters(owner: StoreOwner, decoder: Decoder, hashes: Sequence[str]) -> Redone:
    """Read the letters ``hashes`` (``*``: all) as if they came when they first did.

    Readings are stored once as ever; a letter that is now read whole leaves the table in the same
    transaction. Adapters with a memory start from the stored one and do not change it; nobody is answered.
    """
    mended = still_bad = cut = readings = 0
    for letters in owner.read_letters(hashes, AT_ONCE):
        whole = [x for x in letters if x.size <= len(x.payload)]
        cut += len(letters) - len(whole)
        fresh = Decoder(make_adapters(owner.read_memory()), decoder.directory)
        gone: list[str] = []
        batches: list[Batch] = []
        for x in whole:
            batch, _ = fresh.decode_batch([Message(x.topic, x.payload, x.t_us / 1e6, 0, 0, 0)])
            batches.append(batch)
            if not batch.dead:
                gone.append(x.hash)
        if batches:
            readings += owner.write(_join(batches, tuple(gone)))
        mended += len(gone)
        still_bad += len(whole) - len(gone)
    done = Redone(mended, still_bad, cut, readings)
    log.info("dead letters read again: %d whole, %d still bad, %d cut; %d readings stored",
             mended, still_bad, cut, readings)  # fmt: skip
    detail = f"{mended} mended, {still_bad} still bad, {cut} cut, {readings} readings"
    owner.write_side(
        {}, (NoticeMark("dead_letters_redone", "store", round(time.time() * 1e6), 1, detail),), {}
    )
    return done


def _join(batches: Sequence[Batch], redone: tuple[str, ...]) -> Batch:
    """Only the readings: devices, counts and memory were told when the messages first came."""
    return Batch(
        np.concatenate([b.point_no for b in batches]),
        np.concatenate([b.t_us for b in batches]),
        np.concatenate([b.received_us for b in batches]),
        np.concatenate([b.value for b in batches]),
        np.concatenate([b.quality for b in batches]),
        redone=redone,
    )
