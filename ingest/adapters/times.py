"""Times as vendors write them."""

import re
from datetime import UTC, datetime, timedelta, timezone

from twin.model.errors import PayloadError

_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[Tt ](\d\d):?(\d\d):?(\d\d)(?:[.,](\d{1,9}))?"
    r"\s*(?:([Zz])|([+-])(\d\d):?(\d\d))?$",
    re.ASCII,
)


def read_iso_time(raw: object) -> float:
    """Seconds since 1970 UTC of an ISO 8601 time with its offset, extended or basic, to nanoseconds.

    Raises
    ------
    PayloadError : not such a time, or without an offset, which could be any hour of the day
    """
    found = _ISO.match(raw) if isinstance(raw, str) and len(raw) < 60 else None
    if found is None:
        raise PayloadError(f"time {str(raw)[:40]!r}: ISO 8601 such as 2026-01-31T08:00:00+08:00 is needed")
    year, month, day, hour, minute, second, part, zulu, sign, oh, om = found.groups()
    if not zulu and not sign:
        raise PayloadError(f"time {raw!r} has no offset from UTC: end it with Z or +08:00")
    minutes = 0 if zulu else (1 if sign == "+" else -1) * (60 * int(oh) + int(om))
    try:
        zone = UTC if zulu else timezone(timedelta(minutes=minutes))
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone)
        t = moment.timestamp()
    except (ValueError, OverflowError) as e:
        raise PayloadError(f"time {raw!r}: {e}") from e
    if not 0 <= t < 4.2e9:
        raise PayloadError(f"time {raw!r} is not between the years 1970 and 2100")
    return t + (float(f"0.{part}") if part else 0.0)
