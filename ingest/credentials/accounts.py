"""The accounts of a county's folder: its devices, what was onboarded, and the gateways of county.toml."""

import tomllib

from ingest.county import load_county
from ingest.credentials.rights import Account, list_accounts, read_gateways
from ingest.onboarding.state import merge_county, read_state
from ingest.settings import Settings


def find_gateways(settings: Settings, adcode: str) -> list[Account]:
    """Accounts that the county's file lists. Raises ``ConfigError``."""
    file = settings.county / "county.toml"
    with file.open("rb") as f:
        return read_gateways(tomllib.load(f).get("mqtt", {}), adcode, str(file))


def find_accounts(settings: Settings) -> tuple[list[Account], list[str]]:
    """As :func:`list_accounts`, for the county of these settings."""
    state = read_state(settings.county)
    county = merge_county(load_county(settings.county, onboarded=False), state, settings.county)
    return list_accounts(county, state.sources, find_gateways(settings, county.meta.adcode))
