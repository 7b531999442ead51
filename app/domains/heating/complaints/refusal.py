"""Why the complaints desk refuses something, as a code the pages have words for."""

from app.i18n import translate
from twin.model.errors import InputError


class ComplaintRefused(InputError):  # noqa: N818 - it names what happened
    """Refused; ``code`` is a key of the texts ``complaint.why.*``, ``values`` fill its places."""

    def __init__(self, code: str, **values: object) -> None:
        self.code, self.values = code, values
        super().__init__(self.tell("en"))

    def tell(self, lang: str) -> str:
        """The reason as a sentence."""
        return translate(f"complaint.why.{self.code}", lang, **self.values)
