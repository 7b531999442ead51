"""``python -m ingest``: the ingest worker, the only owner of the DuckDB file."""

import logging
import signal
import sys
import threading
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
from paho.mqtt.enums import MQTTProtocolVersion

from ingest.adapters import compile_directory, make_adapters
from ingest.commands.desk import Desk
from ingest.commands.rules import Rules
from ingest.county import load_county
from ingest.county.cache import prepare_cache
from ingest.credentials.accounts import find_gateways
from ingest.credentials.rights import COMMANDS
from ingest.credentials.steward import Steward
from ingest.documents.cabinet import Cabinet
from ingest.onboarding.state import State, merge_county, read_state
from ingest.settings import Broker, Settings, parse_mqtt_url, read_settings
from ingest.store.command_book import CommandBook
from ingest.store.lake import LakeOwner
from ingest.store.owner import StoreAway, StoreOwner
from ingest.words import ask
from ingest.worker.decode import Decoder
from ingest.worker.errands import Errands
from ingest.worker.housekeeper import DocumentKeeper, Housekeeper, LakeKeeper
from ingest.worker.inbox import Inbox
from ingest.worker.line import Lines, make_lanes
from ingest.worker.lives import Lives
from ingest.worker.loop import WATCH_KEY, StoreBroken, Works, Writer
from ingest.worker.probe import probe_broker
from ingest.worker.reload import Reloader, list_filters
from ingest.worker.scout import Scout
from ingest.worker.share import share_lanes
from ingest.worker.shelf import Shelf
from ingest.worker.sluice import Sluice
from ingest.worker.watch import BrokerWatch
from twin.model.county import County
from twin.model.errors import ConfigError, CountyTwinError

log = logging.getLogger("ingest")
EX_CONFIG = 78


def read_filters(settings: Settings) -> tuple[str, ...]:
    """Topic filters: ``[mqtt] subscribe = [...]`` of county.toml, else those of the adapters.

    Raises
    ------
    ConfigError : the table is not a list of texts
    """
    with (settings.county / "county.toml").open("rb") as f:
        table = tomllib.load(f).get("mqtt", {})
    given = table.get("subscribe")
    if given is None:
        return tuple(f for a in make_adapters() for f in a.filters)
    if not isinstance(given, list) or not given or not all(isinstance(f, str) and f for f in given):
        raise ConfigError(f'{settings.county}/county.toml: write [mqtt] subscribe = ["topic/filter", ...]')
    return tuple(given)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known before the first message: ``base`` is ``county`` without what was onboarded."""

    settings: Settings
    broker: Broker
    base: County
    onboarded: State
    county: County
    filters: tuple[str, ...]


def run(settings: Settings, stop: threading.Event) -> None:
    """Open the store, serve it, subscribe, write until stopped.

    Raises
    ------
    ConfigError, CountyError : something is wrong that only a person can mend
    """
    if not settings.store_token:
        raise ConfigError("CT_STORE_TOKEN is not set: start with `python -m app run`, or set a random text")
    broker = parse_mqtt_url(settings.mqtt_url)
    base, onboarded = load_base(settings.county), read_state(settings.county)
    county = merge_county(base, onboarded, settings.county)
    ground = Ground(settings, broker, base, onboarded, county, read_filters(settings))
    owner = open_store(settings, county, stop)
    if owner is None:
        return
    try:
        owner.serve(settings.store_uri, settings.store_token)
        log.info("store open at %s", settings.store_uri)
        owner.write_state(0, "connecting", 0.0, 0.0)
        version = wait_for_broker(broker, owner, stop)
        if version is not None:
            receive(ground, version, owner, stop)
    finally:
        owner.close()


def receive(ground: Ground, version: MQTTProtocolVersion, owner: StoreOwner, stop: threading.Event) -> None:
    """Subscribe and write until stopped."""
    settings, county = ground.settings, ground.county
    memory = owner.read_memory()
    watch = BrokerWatch(int(memory[WATCH_KEY]) if memory.get(WATCH_KEY) else None)
    number, workers = (settings.lake.number, settings.lake.workers) if settings.lake else (1, 1)
    lanes = make_lanes(f"county-twin-ingest-{county.meta.adcode}", ground.filters)
    lanes = share_lanes(lanes, number, workers)
    inbox = Inbox(len(lanes))
    line = Lines(ground.broker, version, lanes, inbox, watch)
    directory = compile_directory(county, ground.onboarded.sources, ground.onboarded.ignored)
    decoder = Decoder(make_adapters(memory), directory, owner.read_offline())
    sluice = make_sluice(settings, memory, decoder, owner)
    if number == 1:
        line.follow(*list_filters(ground.onboarded))
    line.start()
    errands = Errands(settings.store_file.parent, owner, Cabinet(settings.documents))
    book, gateways = CommandBook(owner.db), find_gateways(settings, county.meta.adcode)
    desk = Desk(book, Rules(county, settings.commands), decoder.adapters, line.send, decoder.answers)
    lives = Lives(county, book, time.time, decoder.facts)
    steward = Steward(settings.credentials, county, book, lambda: dict(decoder.directory.sources), gateways)
    tell, followed = (desk.follow, lives.follow, steward.follow), line if number == 1 else None
    reloader = Reloader(settings.county, ground.base, ground.onboarded, owner, decoder, followed, tell)
    desks: tuple[Works, ...] = (reloader, sluice, Housekeeper(owner.sorter, inbox))
    slow: tuple[Scout | LakeKeeper, ...] = ()
    if number == 1:  # it is asked by the other processes, and speaks for all workers
        keeper = (LakeKeeper(owner),) if isinstance(owner, LakeOwner) else ()
        slow = (make_scout(ground, version, decoder, owner), *keeper)
        desks = (desk, lives, steward, *desks, DocumentKeeper(owner.db, errands.cabinet), *slow)
    try:
        Writer(owner, decoder, inbox, line, stop, watch, errands, desks, sluice).run()
    finally:
        line.stop()
        sluice.shelf.close()
        errands.finish()
        for one in slow:
            one.finish()


def make_sluice(settings: Settings, memory: Mapping[str, str], decoder: Decoder, owner: StoreOwner) -> Sluice:
    """What keeps a flooding vendor from the others; its shelf is beside the store."""
    shelf = Shelf(settings.store_file.parent / "shelf", memory, settings.shelf_bytes)
    return Sluice(shelf, lambda: decoder.directory, owner)


def make_scout(ground: Ground, version: MQTTProtocolVersion, decoder: Decoder, owner: StoreOwner) -> Scout:
    """What looks for devices that nobody described."""

    def read() -> tuple[str, ...]:
        fixed = (f for a in decoder.adapters for f in a.filters)
        return (*fixed, *(s.filter for s in decoder.directory.sources.values()), *COMMANDS)

    return Scout(ground.broker, version, read, owner, ground.settings.scout_s)


def load_base(folder: Path) -> County:
    """The county without what was onboarded, read without what GDAL would leave behind."""
    prepare_cache(folder)
    return load_county(folder, onboarded=False)


def open_store(settings: Settings, county: County, stop: threading.Event) -> StoreOwner | None:
    """The store, as soon as the disk has room for it and the lake answers; None when stopped before.

    The broker keeps what comes meanwhile, so both are waited for.
    """
    said, wait = "", 1.0
    while not stop.is_set():
        try:
            shift = day_shift(county.meta.timezone)
            if settings.lake is not None:
                where = (settings.store_file, county.points, settings.lake)
                return LakeOwner(*where, shift, settings.retention)
            return StoreOwner(settings.store_file, county.points, shift, settings.retention)
        except StoreAway as e:
            if str(e) != said:
                said = str(e)
                log.error("%s; nothing is taken from the broker meanwhile, it goes on by itself", said)
            stop.wait(wait)
            wait = min(2 * wait, 15.0)
    return None


def day_shift(zone: str) -> int:
    """Seconds by which the county's days begin before those of UTC (standard time; the same all year)."""
    offset = datetime(2024, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def wait_for_broker(broker: Broker, owner: StoreOwner, stop: threading.Event) -> MQTTProtocolVersion | None:
    """What the broker speaks, as soon as it lets us in; None when stopped before."""
    said, wait = "", 1.0
    while not stop.is_set():
        answer = probe_broker(broker)
        if answer.version is not None:
            return answer.version
        if answer.reason != said:
            said, wait = answer.reason, 1.0
            log.warning("broker: %s; %s", answer.reason, answer.mend)
        owner.write_state(0, f"{answer.reason}; {answer.mend}", 0.0, 0.0)
        stop.wait(wait)
        wait = min(1.5 * wait, 5.0)
    return None


def main() -> int:
    """``python -m ingest [redo | backup FILE | restore FILE | export FOLDER | migrate N | tiles ...]``.

    Exit status: 0 done, 1 start it again, 78 wrong settings.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    pa.set_memory_pool(pa.system_memory_pool())  # gives back after a burst what others keep
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        if sys.argv[1:]:
            ask(read_settings(), sys.argv[1:])
        else:
            run(read_settings(), stop)
    except StoreBroken as e:
        print(f"{e}; nothing of it was acknowledged, a new process takes it again", file=sys.stderr)
        return 1
    except CountyTwinError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
