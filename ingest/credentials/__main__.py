"""``python -m ingest.credentials sync | renew NAME ... | list``: accounts of the devices at the broker."""

import sys

from ingest.credentials.accounts import find_accounts
from ingest.credentials.keeper import Keeper
from ingest.settings import Settings, read_settings
from twin.model.errors import ConfigError, CountyTwinError

EX_CONFIG = 78


def run(settings: Settings, words: list[str]) -> None:
    """Raises ``ConfigError``: unknown words or names."""
    keeper = Keeper(settings.credentials)
    accounts, without = find_accounts(settings)
    if words == ["list"]:
        for a in accounts:
            print(a.name, "writes", ", ".join(a.write) or "nothing", "reads", ", ".join(a.read) or "nothing")
        for line in without:
            print("none for", line)
        return
    renew = words[1:] if words[:1] == ["renew"] else []
    if words != ["sync"] and not renew:
        raise ConfigError("python -m ingest.credentials sync | renew NAME ... | list")
    if unknown := sorted(set(renew) - {a.name for a in accounts}):
        raise ConfigError(f"no account of the name {', '.join(unknown)}; `list` shows those there are")
    done = keeper.sync(accounts, renew)
    print(f"{len(accounts)} accounts in {keeper.folder}: {len(done.new)} new, {len(done.gone)} gone")
    if done.new:
        print(f"hand the passwords in {keeper.folder / 'new.csv'} out, then remove that file")
    if done.changed and not done.told:
        print("tell the broker to read them: restart it, or SIGHUP (kill -HUP)")
    if without:
        print(f"{len(without)} devices speak through others, which need [[mqtt.account]] in county.toml")


def main() -> int:
    """Exit status: 0 done, 78 wrong words or settings."""
    try:
        run(read_settings(), sys.argv[1:])
    except CountyTwinError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
