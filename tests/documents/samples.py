"""Small files of every kind that is kept, made here."""

import io
import zipfile
import zlib
from pathlib import Path

from openpyxl import Workbook
from PIL import Image


def picture(kind: str = "JPEG", size: tuple[int, int] = (1200, 800), turned: bool = False) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    exif[0x010F] = "Camera of Li"
    Image.new("RGB", size, (150, 90, 40)).save(out, kind, exif=exif)
    return out.getvalue()


def huge_png(side: int = 30_000) -> bytes:
    """A sound picture of a few kB that unpacks to gigabytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        whole = name + body
        return len(body).to_bytes(4, "big") + whole + zlib.crc32(whole).to_bytes(4, "big")

    size = side.to_bytes(4, "big")
    head = chunk(b"IHDR", size + size + bytes((1, 0, 0, 0, 0)))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100_000)) + chunk(b"IEND", b"")


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = Workbook()
    book.active.title = "巡检表"
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def bomb() -> bytes:
    """A workbook of 200 kB that says it unpacks to 200 MB."""
    out = io.BytesIO(workbook(("x",)))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as z:
        z.writestr("xl/media/image1.bin", b"\0" * 200_000_000)
    return out.getvalue()


def with_macro() -> bytes:
    out = io.BytesIO(workbook(("x",)))
    with zipfile.ZipFile(out, "a") as z:
        z.writestr("xl/vbaProject.bin", b"x")
    return out.getvalue()


def letter(*lines: str) -> bytes:
    """The least that is a text of an office program."""
    body = "".join(f"<w:p><w:r><w:t>{x}</w:t></w:r></w:p>" for x in lines)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        z.writestr("word/document.xml", f"<w:document><w:body>{body}</w:body></w:document>")
    return out.getvalue()


def paper(text: str) -> bytes:
    """A PDF of one page with Latin text, written by hand from the format's specification."""
    stream = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode("latin-1")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    out, places = b"%PDF-1.4\n", []
    for n, body in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % p for p in places)
    return out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(parts) + 1, start)


DRAWING = "0\nSECTION\n2\nENTITIES\n0\nTEXT\n1\n换热站平面图 DN200\n0\nENDSEC\n0\nEOF\n".encode()


def put(folder: Path, name: str, data: bytes) -> Path:
    file = folder / name
    file.write_bytes(data)
    return file
