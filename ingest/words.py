"""What can be said to the ingest of a data folder: redo, backup, restore, export, migrate, tiles."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import duckdb

from ingest.settings import Settings
from ingest.store.duck import open_duckdb
from ingest.store.export import MANIFEST, Wish, parse_day
from ingest.store.migrate import migrate
from ingest.store.restore import restore
from ingest.tiles.words import add_words, obey
from twin.model.errors import ConfigError, InputError


def ask(settings: Settings, words: list[str]) -> None:
    """Do or ask for what ``words`` say; requests are taken by the running ingest or at its next start.

    Raises
    ------
    ConfigError : words that mean nothing, a folder that is not there, a store that is in use
    """
    told = _parser().parse_args(words)
    folder = settings.store_file.parent
    if told.word == "tiles":
        obey(told, settings.county)
        return
    if told.word == "migrate":
        _migrate(settings.store_file, told.schema)
        return
    if told.word == "restore":
        aside = restore(Path(told.file).absolute(), settings.store_file, settings.documents)
        print(f"restored; {len(aside)} files that were there are put aside: *.before-restore")
        return
    if told.word == "redo":
        _request(folder, "redo", "")
        print("asked: ingest reads all dead letters again; the outcome stands in its log and on 数据质量")
    elif told.word == "backup":
        target = Path(told.file).absolute()
        if not target.parent.is_dir():
            raise ConfigError(f"{target.parent} is not a folder: make it, or name another file")
        _request(folder, "backup", str(target))
        print(f"asked: {target} appears when it is complete; if it fails, {target.name}.failed says why")
    else:
        to = Path(told.folder).absolute()
        if not to.is_dir():
            raise ConfigError(f"{to} is not a folder: make it, or name another one")
        try:
            for day in (told.first, told.last):
                parse_day(day or "2026-01-01", 0)
        except InputError as e:
            raise ConfigError(str(e)) from e
        (to / MANIFEST).unlink(missing_ok=True)
        wish = Wish(str(to), told.first, told.last, told.points, told.documents)
        _request(folder, "export", json.dumps(asdict(wish), ensure_ascii=False))
        print(
            f"asked: {to / MANIFEST} appears when all files are complete; if it fails, export.failed says why"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m ingest", description="Without a word: the ingest worker.")
    words = parser.add_subparsers(dest="word", required=True)
    words.add_parser("redo", help="read all dead letters again")
    words.add_parser("backup", help="a copy of the store while it is written to").add_argument("file")
    words.add_parser("restore", help="put a copy in the place of a stopped store").add_argument("file")
    export = words.add_parser("export", help="readings as Parquet, a file per day")
    export.add_argument("folder")
    export.add_argument("--from", dest="first", default="", metavar="DAY", help="such as 2026-01-31")
    export.add_argument("--to", dest="last", default="", metavar="DAY", help="this day is the last one")
    export.add_argument("--points", default="*", metavar="PATTERN", help="ids, such as 'S07/*' or '*/p1_ts'")
    export.add_argument("--documents", action="store_true", help="documents and photos too")
    back = words.add_parser("migrate", help="bring a stopped store to another schema, forth or back")
    back.add_argument("schema", type=int)
    add_words(words)
    return parser


def _request(folder: Path, name: str, text: str) -> None:
    """A file that is there whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f".{name}"
    staged.write_text(text, encoding="utf-8")
    staged.replace(folder / name)


def _migrate(file: Path, schema: int) -> None:
    if not file.exists():
        raise ConfigError(f"there is no store {file}: CT_DATA names the data folder")
    try:
        with open_duckdb(file) as db:
            print(f"the store {file} has schema {migrate(db, schema)} now")
    except duckdb.Error as e:
        raise ConfigError(f"{file}: {str(e).splitlines()[0]} -- if ingest runs, stop it first") from e
