"""Runs beside the writer: when devices come, go or retire, the broker's files follow within seconds."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from ingest.credentials.certificates import read_folder
from ingest.credentials.keeper import Keeper
from ingest.credentials.rights import Account, list_accounts
from ingest.onboarding.flow import Source
from ingest.store.command_book import CommandBook
from twin.model.county import County
from twin.model.errors import ConfigError

log = logging.getLogger("ingest")
EVERY_S = 10.0
CERTIFICATES_EVERY_S = 3600.0


class Steward:
    """One of the writer's works. Does nothing about accounts until the first ``sync`` by hand.

    Parameters
    ----------
    folder : ``$CT_DATA/credentials``; certificates of devices lie in ``certificates/{external id}.pem``
    sources : asks for the sources of onboarded flows; more : accounts of gateways
    """

    def __init__(
        self, folder: Path, county: County, book: CommandBook, sources: Callable[[], dict[str, Source]],
        more: list[Account], clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._keeper, self._county, self._book = Keeper(folder), county, book
        self._sources, self._more, self._clock = sources, more, clock
        self._done: tuple[County, frozenset[str]] | None = None
        self._at = self._looked = float("-inf")

    def follow(self, county: County) -> None:
        """Devices are now these."""
        self._county = county
        self._at = float("-inf")

    def work(self) -> None:
        """Accounts when something has changed, certificates once an hour."""
        now = self._clock()
        if now - self._looked > CERTIFICATES_EVERY_S:
            self._looked = now
            self._read_certificates(now)
        if now - self._at < EVERY_S or not self._keeper.on:
            return
        self._at = now
        retired = frozenset(d for d, life in self._book.lives().items() if life.state == "retired")
        if self._done is not None and self._done[0] is self._county and self._done[1] == retired:
            return
        try:
            accounts, _ = list_accounts(self._county, self._sources(), self._more, retired)
            done = self._keeper.sync(accounts)
        except (ConfigError, OSError) as e:
            log.error("the broker's accounts are not kept in step: %s", e)
            return
        self._done = (self._county, retired)
        if done.changed:
            log.info("broker accounts: %d new, %d gone%s", len(done.new), len(done.gone),
                     "" if done.told else "; tell the broker to read them again (SIGHUP)")  # fmt: skip

    def _read_certificates(self, now: float) -> None:
        by_name = {d.external_id: d.id for d in self._county.devices}
        ends = read_folder(self._keeper.folder / "certificates")
        facts = {by_name[n]: {"certificate_ends": f"{t:.0f}"} for n, t in ends.items() if n in by_name}
        if facts:
            self._book.write_facts(facts, now)
