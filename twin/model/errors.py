"""Every error the project raises on purpose.

The tree::

    CountyTwinError
    ├── InputError          a caller, a file, a form or a payload is wrong; says where and the mend
    │   ├── CountyError     a county folder or an import is wrong (carries the list of findings)
    │   └── PayloadError    one message could not be understood; the message is kept as a dead letter
    ├── ConfigError         a setting is missing or wrong; raised at start, never later
    ├── StoreUnavailable    the store does not answer (ingest is down or starting); callers show "since hh:mm"
    └── EngineError         an engine was asked for something it cannot answer at all
"""


class CountyTwinError(Exception):
    """Root of every error raised on purpose."""


class InputError(CountyTwinError):
    """Wrong input; the text names the place and the mend."""


class CountyError(InputError):
    """A county folder or an import has bad features.

    Parameters
    ----------
    message : one sentence
    findings : one line per bad feature ("layer, id: reason")
    """

    def __init__(self, message: str, findings: tuple[str, ...] = ()) -> None:
        super().__init__(message if not findings else message + "\n" + "\n".join(findings))
        self.findings = findings


class PayloadError(InputError):
    """One message could not be understood. The reason is shown on 数据质量."""


class ConfigError(CountyTwinError):
    """A setting is missing or wrong."""


class StoreUnavailable(CountyTwinError):  # noqa: N818 - it names a state, not a mistake
    """The store does not answer at this moment."""


class EngineError(CountyTwinError):
    """An engine cannot answer the question as asked."""
