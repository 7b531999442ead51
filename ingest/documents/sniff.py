"""What a file is, by its content: a list of what is kept, everything else is refused.

The name counts for nothing but two things: it must not say another kind than the content is, and it tells
apart what looks alike inside (text, CSV, JSON, DXF).
"""

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ingest.documents.refusal import DocumentRefused
from ingest.store.document_api import Kind

HEAD = 4096
MAX_UNPACKED = 96_000_000
MAX_MEMBERS = 5000
TEXT_BYTES = 8_000_000
"""A longer text file is refused: nobody reads it, and it would be a way to fill the store."""


@dataclass(frozen=True, slots=True)
class Found:
    """``media``: as it is served; ``inline``: may be shown within a page (only raster pictures may)."""

    kind: Kind
    media: str
    endings: tuple[str, ...]
    inline: bool = False


JPEG = Found("photo", "image/jpeg", ("jpg", "jpeg", "jpe"), True)
PNG = Found("photo", "image/png", ("png",), True)
WEBP = Found("photo", "image/webp", ("webp",), True)
PDF = Found("paper", "application/pdf", ("pdf",))
XLSX = Found("table", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ("xlsx",))
DOCX = Found("paper", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ("docx",))
DWG = Found("drawing", "application/octet-stream", ("dwg",))
DXF = Found("drawing", "application/octet-stream", ("dxf",))
CSV = Found("table", "text/plain; charset=utf-8", ("csv",))
JSON = Found("text", "text/plain; charset=utf-8", ("json", "geojson"))
TEXT = Found("text", "text/plain; charset=utf-8", ("txt", "log", "md"))
ALL = (JPEG, PNG, WEBP, PDF, XLSX, DOCX, DWG, DXF, CSV, JSON, TEXT)
INLINE = frozenset(f.media for f in ALL if f.inline)
KNOWN_ENDINGS = {e: f for f in ALL for e in f.endings}


def sniff(file: Path, name: str) -> Found:
    """What ``file``, sent as ``name``, is.

    Raises
    ------
    DocumentRefused : empty, of no kind that is kept, with macros, a bomb, or not what its name says
    """
    with file.open("rb") as f:
        head = f.read(HEAD)
    if not head:
        raise DocumentRefused("empty")
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    found = _by_mark(head) or _by_zip(file, head, name) or _by_text(file, ending)
    if found is None:
        raise DocumentRefused("type", name=name, kinds=", ".join(sorted(KNOWN_ENDINGS)))
    if ending not in found.endings:
        raise DocumentRefused("mismatch", name=name, said=ending or "-", found=found.endings[0])
    return found


def _by_mark(head: bytes) -> Found | None:
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith(b"%PDF-"):
        return PDF
    if re.match(rb"AC10[0-9]{2}", head):
        return DWG
    return None


def _by_zip(file: Path, head: bytes, name: str) -> Found | None:
    """A workbook or a text of an office program; what it says of its own size is looked at first."""
    if not head.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(file) as z:
            members = z.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RecursionError):
        return None
    names = {m.filename for m in members}
    if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED:
        raise DocumentRefused("unpacks", name=name, max_mb=MAX_UNPACKED // 1_000_000)
    if any(n.endswith("vbaProject.bin") for n in names):
        raise DocumentRefused("macro", name=name)
    if "[Content_Types].xml" not in names:
        return None
    if "xl/workbook.xml" in names:
        return XLSX
    return DOCX if "word/document.xml" in names else None


def _by_text(file: Path, ending: str) -> Found | None:
    """A text: no control characters, in an encoding that is used here."""
    if file.stat().st_size > TEXT_BYTES:
        return None
    text = decode_text(file.read_bytes())
    if text is None or re.search(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]", text):
        return None
    found = KNOWN_ENDINGS.get(ending)
    if found is DXF:
        return DXF if re.match(r"(\s*999\r?\n.*\r?\n)*\s*0\r?\nSECTION\b", text) else None
    if found is JSON:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return TEXT
        return JSON
    return CSV if found is CSV else TEXT


def decode_text(data: bytes) -> str | None:
    """Text in UTF-8, UTF-16 with its mark, or GB 18030; None: it is none."""
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
