"""Looks into one file in a process of its own: ``python -m ingest.documents.inspect FILE MEDIA``.

Readers of foreign formats are the largest surface there is, so they run with little memory, little time and
no writing but the small picture beside the file. What is found comes back as one line of JSON: ``text``,
``pages``, ``width``, ``height``, ``detail`` (why there is no text), or
``refused`` with a code and its values.
"""

import json
import resource
import subprocess
import sys
import unicodedata
import warnings
import zipfile
from pathlib import Path
from typing import Any

from ingest.documents import sniff
from ingest.documents.refusal import DocumentRefused
from ingest.store.document_api import DocumentText
from ingest.store.folding import fold_text

MEMORY_BYTES = 1_500_000_000
SECONDS = 20
MAX_TEXT = 400_000
"""Characters of a file that are searched."""
MAX_PAGES = 500
MAX_PIXELS = 60_000_000
SMALL_PX = 480
XML_BYTES = 16_000_000


def inspect(file: Path, found: sniff.Found, sha256: str, name: str) -> DocumentText:
    """What is in a file that was sniffed, and its small picture beside it.

    Raises
    ------
    DocumentRefused : a picture that is none, or is too large; everything else is kept without its text
    """
    words = [sys.executable, "-m", "ingest.documents.inspect", str(file), found.media]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, the file's name is ours
            words,
            capture_output=True,
            timeout=3 * SECONDS,
            check=False,
            cwd=Path(__file__).resolve().parents[2],
        )
        said = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError):
        said = {}
    if refused := said.get("refused"):
        raise DocumentRefused(refused[0], **{"name": name, **refused[1]})
    if not said and found.kind == "photo":
        raise DocumentRefused("broken", name=name, found=found.endings[0])
    if not said:
        return DocumentText(sha256, "", detail="unread")
    return DocumentText(
        sha256, said["text"], said["pages"], said["width"], said["height"], str(said["detail"])[:200]
    )


def _bound() -> None:
    """Limits of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def look(file: Path, media: str) -> dict[str, Any]:
    """The answer of the process; runs within its limits."""
    answer: dict[str, Any] = {"text": "", "pages": 0, "width": 0, "height": 0, "detail": ""}
    try:
        if media in sniff.INLINE:
            answer["width"], answer["height"] = _draw_small(file)
        elif media == sniff.PDF.media:
            answer["text"], answer["pages"], answer["detail"] = _read_pdf(file)
        elif media == sniff.XLSX.media:
            answer["text"], answer["pages"] = _read_sheets(file)
        elif media == sniff.DOCX.media:
            answer["text"] = _read_docx(file)
        else:
            answer["text"] = _read_text(file)
    except DocumentRefused as e:
        return {"refused": [e.code, e.values]}
    except MemoryError:
        answer["detail"] = "unread"
    text = fold_text(answer["text"])
    answer["text"] = text[:MAX_TEXT]
    if len(text) > MAX_TEXT:
        answer["detail"] = "cut"
    elif not text and not answer["detail"] and media not in sniff.INLINE:
        answer["detail"] = "no_text"
    return answer


def _draw_small(file: Path) -> tuple[int, int]:
    """Size of a picture; a small one is written beside it, upright and without what cameras write into it."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(file, formats=("JPEG", "PNG", "WEBP")) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise DocumentRefused("pixels", width=width, height=height, max_mpx=MAX_PIXELS // 1_000_000)
            picture.draft("RGB", (2 * SMALL_PX, 2 * SMALL_PX))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SMALL_PX, SMALL_PX))
            upright.convert("RGB").save(file.with_name(file.name + ".webp"), "WEBP", quality=78)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise DocumentRefused("pixels", width="?", height="?", max_mpx=MAX_PIXELS // 1_000_000) from e
    except DocumentRefused:
        raise
    except (OSError, ValueError, SyntaxError, ArithmeticError, EOFError) as e:
        raise DocumentRefused("broken", name=file.name, found="picture") from e
    return width, height


def _read_pdf(file: Path) -> tuple[str, int, str]:
    """(text, pages, why there is none). A scan holds pictures only: it is kept and found by its title."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(file, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return "", 0, "locked"
        parts, held = [], 0
        for page in reader.pages[:MAX_PAGES]:
            parts.append(page.extract_text())
            held += len(parts[-1])
            if held > MAX_TEXT:
                break
        return "\n".join(parts), len(reader.pages), ""
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OSError,
            ArithmeticError, NotImplementedError, ImportError, AssertionError):  # fmt: skip
        return "", 0, "unread"  # pypdf meets damaged files with errors of all these kinds


def _read_sheets(file: Path) -> tuple[str, int]:
    """(cells of all sheets, how many sheets)."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with file.open("rb") as stream:  # by its name openpyxl would refuse it
            book = load_workbook(stream, read_only=True, data_only=True)
            parts, held = [], 0
            for sheet in book.worksheets:
                parts.append(str(sheet.title))
                for row in sheet.iter_rows(values_only=True):
                    parts.append(" ".join(str(v) for v in row if v is not None))
                    held += len(parts[-1])
                    if held > MAX_TEXT:
                        break
            return "\n".join(parts), len(book.worksheets)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, SyntaxError,
            AttributeError, IndexError) as e:  # fmt: skip
        raise DocumentRefused("broken", name=file.name, found="xlsx") from e


def _read_docx(file: Path) -> str:
    """The words of a text; its XML is searched for them, not built up, so that no entity is followed."""
    import html
    import re

    try:
        with zipfile.ZipFile(file) as z, z.open("word/document.xml") as f:
            xml = f.read(XML_BYTES).decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError, RuntimeError) as e:
        raise DocumentRefused("broken", name=file.name, found="docx") from e
    lines = re.split(r"</w:p>", xml)
    return "\n".join(
        html.unescape("".join(re.findall(r"<w:t(?:\s[^>]*)?>([^<]*)</w:t>", line))) for line in lines
    )


def _read_text(file: Path) -> str:
    """A text, or the words that stand in a drawing."""
    with file.open("rb") as f:
        head = f.read(6)
    if head.startswith(b"AC10"):
        return ""
    text = sniff.decode_text(file.read_bytes()) or ""
    if file_is_dxf(text):
        lines = [x.strip() for x in text.splitlines()]
        pairs = zip(lines[::2], lines[1::2], strict=False)
        text = "\n".join(
            value for code, value in pairs if code in ("1", "3") and not value.startswith("AC10")
        )
        return unicodedata.normalize("NFC", text)
    return text


def file_is_dxf(text: str) -> bool:
    """Whether a text is a drawing exchange file."""
    return text.lstrip()[:1] in ("0", "9") and "\nSECTION" in text[:2000].replace("\r", "")


def main(words: list[str]) -> int:
    """One line of JSON to stdout."""
    _bound()
    print(json.dumps(look(Path(words[0]), words[1])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
