"""Why a file is not taken, as a code with its values, so that every page can say it in its own language."""

from twin.model.errors import InputError

REFUSALS = {
    "empty": "the file is empty",
    "large": "the file is larger than {max_mb} MB",
    "full": "the disk has less than {free_mb} MB left: make room",
    "type": "{name}: this kind of file is not kept; kept are {kinds}",
    "mismatch": "{name} is called .{said}, but it is {found}",
    "macro": "{name} carries macros: save it without them",
    "unpacks": "{name} unpacks to more than {max_mb} MB",
    "pixels": "the picture has {width} x {height} pixels, at most {max_mpx} million are taken",
    "broken": "{name} cannot be read as {found}: is it damaged?",
    "title": "a title of at most {max} characters is needed",
    "long": "{field}: at most {max} characters",
    "tags": "at most {max} tags of at most {letters} characters",
    "about": "{about} is nothing that a document can belong to",
    "gone": "there is no such document",
    "own": "only who added it, or an administrator, may do this",
    "lost": "the file of this document is not in the folder of documents: restore it from a backup",
}
"""Code -> the sentence in English; the dashboard has the same codes in its own table."""


class DocumentRefused(InputError):  # noqa: N818 - it names what happened
    """A file or what is said of it is not taken. ``code`` is one of ``REFUSALS``; ``values`` fill it."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(REFUSALS[code].format(**values))
        self.code = code
        self.values = {k: str(v)[:200] for k, v in values.items()}
