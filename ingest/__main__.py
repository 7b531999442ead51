"""``python -m ingest``: the ingest worker, the only owner of the DuckDB file."""

import logging
import signal
import sys
import threading
import tomllib

from ingest.adapters import compile_directory, make_adapters
from ingest.county import load_county
from ingest.settings import Settings, parse_mqtt_url, read_settings
from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Inbox
from ingest.worker.line import Line, probe_protocol
from ingest.worker.loop import Writer
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


def run(settings: Settings, stop: threading.Event) -> None:
    """Open the store, serve it, subscribe, write until stopped.

    Raises
    ------
    ConfigError, CountyError : something is wrong that only a person can mend
    """
    if not settings.store_token:
        raise ConfigError("CT_STORE_TOKEN is not set: start with `python -m app run`, or set a random text")
    broker = parse_mqtt_url(settings.mqtt_url)
    county = load_county(settings.county)
    filters = read_filters(settings)
    owner = StoreOwner(settings.store_file, county.points)
    try:
        owner.serve(settings.store_uri, settings.store_token)
        log.info("store open at %s", settings.store_uri)
        owner.write_state(0, "connecting", 0.0, 0.0)
        version = None
        while version is None and not stop.is_set():
            version = probe_protocol(broker)
            if version is None:
                log.warning("broker %s:%d does not answer yet", broker.host, broker.port)
                owner.write_state(0, "no answer", 0.0, 0.0)
                stop.wait(1.0)
        if version is None:
            return
        inbox = Inbox()
        line = Line(broker, version, f"county-twin-ingest-{county.meta.adcode}", filters, inbox)
        writer = Writer(
            owner, Decoder(make_adapters(owner.read_memory()), compile_directory(county)), inbox, line, stop
        )
        line.start()
        writer.run()
        line.stop()
    finally:
        owner.close()


def main() -> int:
    """Exit status: 0 stopped, 78 wrong configuration."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(read_settings(), stop)
    except CountyTwinError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
