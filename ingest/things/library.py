"""Reads thing models: those shipped in ``library/*.toml`` and those a county keeps in ``things/*.toml``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

from ingest.things.check import check_model
from ingest.things.schema import ThingModel
from twin.model.errors import InputError

FOLDER = "things"
"""Folder of a county with models of its own; one of the same id takes the place of the shipped one."""


def read_model(text: str, where: str) -> ThingModel:
    """Read and check one model.

    Raises
    ------
    InputError : every fault on a line of its own, with the place and the mend
    """
    try:
        model = msgspec.convert(tomllib.loads(text), ThingModel)
    except tomllib.TOMLDecodeError as e:
        raise InputError(f"{where}: not TOML: {e}") from e
    except msgspec.ValidationError as e:
        raise InputError(f"{where}: {e}; the fields stand in docs/thing-models.md") from e
    faults = check_model(model)
    if faults:
        raise InputError("\n".join(f"{where}: {x}" for x in faults))
    return model


@cache
def _shipped() -> Mapping[str, ThingModel]:
    folder = resources.files("ingest.things") / "library"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    models = [read_model(f.read_text(encoding="utf-8"), f.name) for f in files]
    return {m.id: m for m in models}


def load_library(county: Path | None = None) -> dict[str, ThingModel]:
    """Return every model by id, those of the county folder ``county`` over those that are shipped.

    Raises
    ------
    InputError : a file of the county is wrong; every fault on a line of its own
    """
    models = dict(_shipped())
    folder = county / FOLDER if county is not None else None
    if folder is not None and folder.is_dir():
        for file in sorted(folder.glob("*.toml")):
            try:
                text = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as e:
                raise InputError(f"{file}: {e}; save it as UTF-8") from e
            model = read_model(text, str(file))
            if file.stem != model.id:
                raise InputError(f"{file}: its id is {model.id!r}; name the file {model.id}.toml")
            models[model.id] = model
    return models


def find_model(models: Mapping[str, ThingModel], model_id: str) -> ThingModel:
    """Return a model.

    Raises
    ------
    InputError : no such model; the text lists those there are
    """
    try:
        return models[model_id]
    except KeyError:
        raise InputError(
            f"there is no thing model {model_id!r}; one of: {', '.join(sorted(models))}"
        ) from None
