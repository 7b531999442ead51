"""The folder an import reads from: files are found inside it or not at all."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from twin.model.errors import InputError

MAX_FILE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A folder whose files may name each other, and nothing outside it."""

    root: Path

    def resolve(self, base: Path, uri: str, said_by: str) -> Path:
        """Return the file that ``uri`` names, seen from the folder ``base``.

        Raises
        ------
        InputError : an address on a network, or a way out of the source
        """
        parts = urlsplit(uri)
        if parts.scheme or parts.netloc:
            raise InputError(
                f"{said_by}: refers to {uri[:120]}; only files beside it are read: download it there"
            )
        path = (base / unquote(parts.path)).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise InputError(
                f"{said_by}: refers to {uri[:120]}, which leads out of the source folder {self.root}"
            )
        return path

    def read(self, path: Path) -> bytes:
        """Return a file's bytes.

        Raises
        ------
        InputError : not there, not readable, or larger than 1 GiB
        """
        try:
            size = path.stat().st_size
            if size > MAX_FILE_BYTES:
                raise InputError(
                    f"{self.name(path)}: {size} bytes, more than {MAX_FILE_BYTES}; split the file"
                )
            return path.read_bytes()
        except FileNotFoundError as e:
            raise InputError(f"{self.name(path)}: is not there; copy it into the source folder") from e
        except OSError as e:
            raise InputError(f"{self.name(path)}: cannot be read ({e.strerror})") from e

    def name(self, path: Path) -> str:
        """Return the file's name as it is said to a person: relative to the source."""
        try:
            return path.relative_to(self.root.resolve()).as_posix()
        except ValueError:
            return path.name
