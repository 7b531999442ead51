"""Which tests one process runs, of the two (docs/decisions/0212-two-lanes-of-tests.md)."""

from xdist.scheduler import LoadScopeScheduling

SCREENS = {"e2e", "scene", "tiles", "web"}
"""Folders that draw in Chromium: never two pictures are drawn at once by two cores."""


class Lanes(LoadScopeScheduling):
    """A folder is one lane's as a whole, so that it starts its servers once; all screens are one lane's."""

    def _split_scope(self, nodeid: str) -> str:
        return lane_of(nodeid)


def lane_of(nodeid: str) -> str:
    """Folder of a test such as ``tests/ingest/test_sums.py::test_it``; ``screens`` for those that draw."""
    folder = nodeid.split("/", maxsplit=2)[1].split("::", maxsplit=1)[0]
    return "screens" if folder in SCREENS else folder
