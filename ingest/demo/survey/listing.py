"""Whether a county has its photography; apart from the making, for the supervisor asks and must stay light."""

import json
from pathlib import Path

LAYER_ID = "survey"


def has_survey(county_folder: Path) -> bool:
    """Whether the catalogue of the county's tiles names the photography and its files are there."""
    tiles = county_folder / "tiles"
    try:
        layers = json.loads((tiles / "catalogue.json").read_text(encoding="utf-8"))["layers"]
        folders = [str(layer["folder"]) for layer in layers if layer["id"] == LAYER_ID]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return any((tiles / folder / "tileset.json").is_file() for folder in folders)
