"""Who may publish and read what: accounts of devices, gateways and ingest, and their access list. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.adapters import make_adapters
from ingest.onboarding.flow import MAPPED, Source
from ingest.worker.watch import DROPPED_TOPIC
from twin.model.county import County, Device
from twin.model.errors import ConfigError

INGEST = "county-twin"
"""Account of ingest itself."""
COMMANDS = (
    "heat/+/set", "v1/gateway/rpc", "tb/+/v1/devices/me/rpc/request/+", "spBv1.0/+/NCMD/+",
    "spBv1.0/+/DCMD/+/+", "homie/5/+/+/+/set", "$oc/devices/+/sys/properties/set/+",
    "/sys/+/+/thing/service/property/set", "/sys/+/+/thing/event/+/post_reply",
    "/sys/+/+/thing/event/property/pack/post_reply",
)  # fmt: skip
"""What ingest writes: set-points, and answers that devices wait for."""
_SPARKPLUG_VERBS = ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")


@dataclass(frozen=True, slots=True)
class Account:
    """One name at the broker and the topic filters it may publish to and read."""

    name: str
    write: tuple[str, ...]
    read: tuple[str, ...]


def list_accounts(
    county: County, sources: Mapping[str, Source], more: Sequence[Account] = (), retired: Iterable[str] = ()
) -> tuple[list[Account], list[str]]:
    """(accounts by name, devices that can have none, each with the reason).

    Parameters
    ----------
    sources : of onboarded flows
    more : of gateways, as the county's file lists them
    retired : ids of devices that are out of service
    """
    gone, accounts, without = set(retired), [_ingest_account(more, sources)], []
    twice = {n for n, k in Counter(d.external_id for d in county.devices).items() if k > 1}
    for d in county.devices:
        if d.id in gone or d.kind == "retired":
            continue
        name = d.id if d.external_id in twice or ":" in d.external_id else d.external_id
        rights = _device_rights(d, sources)
        if rights is None:
            without.append(f"{d.id}: comes through a gateway or a server; give that one an account")
        elif any(c in d.external_id for c in "+#\n") or ":" in name or name != name.strip():
            without.append(f"{d.id}: {d.external_id!r} cannot stand in an access list")
        else:
            accounts.append(Account(name, *rights))
    accounts += more
    names = Counter(a.name for a in accounts)
    if clash := sorted(n for n, k in names.items() if k > 1):
        raise ConfigError(
            f"accounts of the same name at the broker: {', '.join(clash)}; rename the gateway's"
        )
    return sorted(accounts, key=lambda a: a.name), without


def _device_rights(
    d: Device, sources: Mapping[str, Source]
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """(write, read) of a device that connects itself; None: another speaks for it."""
    own = d.external_id
    if d.dialect == MAPPED:
        flow, _, name = own.partition("/")
        source = sources.get(flow)
        return None if source is None else _mapped_rights(source, name)
    table: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "flat": ((f"heat/{own}/data", f"heat/{own}/ack", f"heat/{own}/state"), (f"heat/{own}/set",)),
        "thingsboard": (
            (f"tb/{own}/v1/devices/me/telemetry", f"tb/{own}/v1/devices/me/attributes",
             f"tb/{own}/v1/devices/me/rpc/response/+"),
            (f"tb/{own}/v1/devices/me/rpc/request/+",),
        ),
        "homie": ((f"homie/5/{own}/#",), (f"homie/5/{own}/+/+/set",)),
        "huawei": (
            (f"$oc/devices/{own}/sys/properties/report", f"$oc/devices/{own}/sys/properties/set/response/+",
             f"$oc/devices/{own}/sys/gateway/sub_devices/properties/report"),
            (f"$oc/devices/{own}/sys/properties/set/+",),
        ),
        "aliyun": (
            (f"/sys/{own}/thing/event/#", f"/sys/{own}/thing/service/property/set_reply"),
            (f"/sys/{own}/thing/service/property/set", f"/sys/{own}/thing/event/+/post_reply"),
        ),
        "csv": ((f"csv/{own}/data",), ()),
    }  # fmt: skip
    return table.get(d.dialect)


def _mapped_rights(source: Source, name: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The filter with the device's own level in it, where the topic says who speaks."""
    levels, at = source.filter.split("/"), source.device_at
    if source.device_from != "topic" or not at.isdecimal() or not 1 <= int(at) <= len(levels):
        return None
    if levels[int(at) - 1] != "+":
        return None
    levels[int(at) - 1] = name
    return ("/".join(levels),), ()


def _ingest_account(more: Sequence[Account], sources: Mapping[str, Source]) -> Account:
    """Reads everything (what any adapter reads, and strangers), writes commands and answers, and nothing
    that devices say. ``#`` leaves out topics that begin with ``$``: the adapters' filters stand beside it."""
    read = dict.fromkeys(("#", *(f for a in make_adapters() for f in a.filters)))
    read |= dict.fromkeys(s.filter for s in sources.values())
    read |= dict.fromkeys(f for a in more for f in a.write)
    return Account(INGEST, COMMANDS, (*read, DROPPED_TOPIC))


def read_gateways(table: Mapping[str, Any], adcode: str, where: str) -> list[Account]:
    """Accounts ``[[mqtt.account]]`` of county.toml: a ``name`` and a ``kind``, or ``write`` and ``read``.

    Raises
    ------
    ConfigError : names the row and what may stand there
    """
    rows, out = table.get("account", []), []
    if not isinstance(rows, list):
        raise ConfigError(f"{where}: write [[mqtt.account]] tables")
    for i, row in enumerate(rows, 1):
        place = f"{where}, mqtt.account {i}"
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name or ":" in name or "\n" in name:
            raise ConfigError(f"{place}: name is needed, a text without a colon")
        kind = row.get("kind", "")
        if kind == "":
            rights = tuple(row.get(k, []) for k in ("write", "read"))
            if not all(isinstance(r, list) and all(isinstance(f, str) and f for f in r) for r in rights):
                raise ConfigError(f'{place}: write = ["topic/filter"] and read = [...] are lists of texts')
            out.append(Account(name, tuple(rights[0]), tuple(rights[1])))
            continue
        known = _gateway_rights(str(row.get("edge", name)), adcode)
        if kind not in known:
            raise ConfigError(f"{place}: kind is {kind!r}; one of {', '.join(known)}")
        out.append(Account(name, *known[kind]))
    return out


def _gateway_rights(edge: str, adcode: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    spark = tuple(
        f"spBv1.0/{adcode}/{verb}/{edge}" + ("/+" if verb[0] == "D" else "") for verb in _SPARKPLUG_VERBS
    )
    return {
        "thingsboard": (
            tuple(f"v1/gateway/{v}" for v in ("telemetry", "attributes", "connect", "disconnect", "rpc")),
            ("v1/gateway/rpc",),
        ),
        "sparkplug": (spark, (f"spBv1.0/{adcode}/NCMD/{edge}", f"spBv1.0/{adcode}/DCMD/{edge}/+")),
        "chirpstack": (("application/+/device/+/event/+",), ("application/+/device/+/command/down",)),
        "polling": (
            ("heat/+/data", "heat/+/ack", "csv/+/data", "ngsi-ld/push", "tb/+/v1/devices/me/#"),
            ("heat/+/set",),
        ),
    }  # fmt: skip


def write_access_list(accounts: Iterable[Account]) -> str:
    """Mosquitto's ``acl_file``. Whatever is not named is denied."""
    lines = ["# Written by County Twin from the county's devices; changes here are lost."]
    for a in accounts:
        lines += ["", f"user {a.name}"]
        both = set(a.write) & set(a.read)
        lines += [f"topic readwrite {f}" for f in sorted(both)]
        lines += [f"topic write {f}" for f in a.write if f not in both]
        lines += [f"topic read {f}" for f in a.read if f not in both]
    return "\n".join(lines) + "\n"
