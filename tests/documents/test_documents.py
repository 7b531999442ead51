"""Documents and photos: what is taken and what is not, that they are found, and that none is lost or left."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.documents.cabinet import MAX_BYTES, ORPHAN_S, Cabinet
from ingest.documents.intake import Intake, Words, plain_name
from ingest.documents.refusal import DocumentRefused
from ingest.documents.sniff import INLINE, sniff
from ingest.store.backup import back_up, documents_beside
from ingest.store.batch import Batch, DeadMessage, HeardMessage
from ingest.store.client import StoreClient
from ingest.store.document_api import Document
from ingest.store.document_book import KEEP_REMOVED_S, export_documents, list_named_files
from ingest.store.document_client import split_words
from ingest.store.extras import tidy
from ingest.store.owner import StoreOwner
from ingest.store.restore import restore
from tests.documents.samples import (
    DRAWING,
    bomb,
    huge_png,
    letter,
    paper,
    picture,
    put,
    with_macro,
    workbook,
)
from tests.support.system import free_port
from tests.support.tiny import make_tiny_county
from twin.model.errors import StoreUnavailable

TOKEN = "token-of-a-test"


@dataclass
class Desk:
    owner: StoreOwner
    store: StoreClient
    intake: Intake

    def add(self, name: str, data: bytes, **words: object) -> Document:
        with self.intake.receive() as came:
            came.write(data)
            said = replace(Words(str(words.pop("title", ""))), **words)  # type: ignore[arg-type]
            return self.intake.take(came, name, said, "li")

    def find(self, words: str = "", **more: object) -> list[str]:
        return [d.title for d in self.store.documents(words, **more)]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("documents")
    owner = StoreOwner(folder / "x.duckdb", make_tiny_county().points)
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, TOKEN)
    store = StoreClient(uri, TOKEN)
    yield Desk(owner, store, Intake(Cabinet(folder / "documents"), store))
    store.close()  # before the owner: an attached client waits for it else
    owner.close()


def files(cabinet: Cabinet) -> list[str]:
    return sorted(str(p.relative_to(cabinet.folder)) for p in cabinet.folder.rglob("*") if p.is_file())


def test_text_of_every_kind_of_file_is_found_by_chinese_words(desk: Desk) -> None:
    samples = {
        "记录.txt": "七号站循环泵轴承更换".encode(), "旧记录.txt": "补水箱液位计校准".encode("gb18030"),
        "台账.csv": "设备,日期\n板式换热器,2024-05-01\n".encode(),
        "表单.json": '{"巡检人": "张三丰"}'.encode(),
        "巡检.xlsx": workbook(("项目", "结论"), ("安全阀", "铅封完好")),
        "纪要.docx": letter("供热前会议", "A"),
        "图.dxf": DRAWING, "manual.pdf": paper("Kamstrup MULTICAL 603 manual"),
    }  # fmt: skip
    for name, data in samples.items():
        desk.add(name, data)
    wanted = {
        "轴承更换": "记录", "液位计": "旧记录", "板式换热器": "台账", "巡检人 张三丰": "表单", "铅封": "巡检",
        "前会议": "纪要", "平面图 dn200": "图", "multical": "manual", "ＭＵＬＴＩＣＡＬ 603": "manual",
    }  # fmt: skip
    assert {words: desk.find(words) for words in wanted} == {w: [t] for w, t in wanted.items()}
    assert desk.find("轴承 液位计") == [], "every word must be in the same document"
    assert desk.find('"循环泵 轴承"') == [], "what stands in quotation marks is looked for as it stands"
    assert "轴承更换" in desk.store.documents("轴承")[0].snippet
    assert set(desk.find(kind="drawing")) == {"图"} and len(desk.find(limit=3)) == 3


def test_a_photo_is_found_by_what_it_is_about_and_has_a_small_picture_without_the_cameras_words(
    desk: Desk,
) -> None:
    data = picture(turned=True)
    found = desk.add(
        "IMG_1.jpg", data, title="铭牌", tags=("铭牌", "2024"), about=("device:D-S01",), called=("滨河站",)
    )
    assert (found.kind, found.media, found.width, found.height) == ("photo", "image/jpeg", 1200, 800)
    assert found.media in INLINE
    cabinet = desk.intake.cabinet
    assert cabinet.path(found.sha256).read_bytes() == data
    with Image.open(cabinet.small(found.sha256)) as small:
        assert small.format == "WEBP" and small.size == (320, 480), "upright"
        assert not small.getexif()
    assert desk.find("滨河") == desk.find("d-s01") == desk.find(about="device:D-S01") == ["铭牌"]
    assert desk.find(about="device:D-S0") == [] and desk.find(kind="photo") == ["铭牌"]


def test_what_is_said_can_be_changed_and_taken_back_and_every_step_stays(desk: Desk) -> None:
    no = desk.add("a.txt", b"one", title="first").no
    desk.intake.change(no, Words("second", "with a note", ("tag",)), "wang")
    desk.intake.remove(no, "sun")
    assert desk.find("second") == [] and desk.find("second", removed=True) == ["second"]
    desk.intake.remove(no, "sun", back=True)
    now = desk.store.document(no)
    assert now is not None and (now.title, now.added_by, now.who, now.act) == (
        "second",
        "li",
        "sun",
        "restored",
    )
    steps = [(s.act, s.who, s.title) for s in desk.store.document_steps(no)]
    assert steps == [
        ("added", "li", "first"), ("changed", "wang", "second"), ("removed", "sun", "second"),
        ("restored", "sun", "second"),
    ]  # fmt: skip
    assert desk.find("first") == []


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("x.txt", b"", "empty"), ("x.exe", b"MZ\x90\x00", "type"),
        ("x.svg", b"<svg onload='x()'/>", "mismatch"),
        ("x.html", b"<script>x()</script>", "mismatch"), ("x.jpg", paper("x"), "mismatch"),
        ("x", b"text", "mismatch"), ("x.jpg", picture()[:300], "broken"), ("x.png", huge_png(), "pixels"),
        ("x.xlsx", bomb(), "unpacks"), ("x.xlsx", with_macro(), "macro"), ("x.zip", letter("x")[:40], "type"),
        ("x.xlsx", letter("x"), "mismatch"), ("x.txt", b"a\x00b", "type"), ("x.dxf", b"hello", "type"),
    ],
)  # fmt: skip
def test_what_is_not_kept_is_refused_in_words_and_leaves_nothing(
    desk: Desk, name: str, data: bytes, code: str
) -> None:
    before = files(desk.intake.cabinet), desk.find(limit=1000)
    with pytest.raises(DocumentRefused) as refused:
        desk.add(name, data)
    assert refused.value.code == code and len(str(refused.value)) > 10
    assert (files(desk.intake.cabinet), desk.find(limit=1000)) == before


def test_a_file_is_refused_when_it_has_grown_too_large_not_when_all_of_it_is_here(desk: Desk) -> None:
    part = bytes(8_000_000)
    with pytest.raises(DocumentRefused) as refused, desk.intake.receive() as came:
        for _ in range(MAX_BYTES // len(part) + 1):
            came.write(part)
    assert refused.value.code == "large" and came.path.exists() is False


@pytest.mark.parametrize("name", ["../../etc/passwd.txt", "..\\..\\boot.txt", "/abs.txt", "a\x00\u202eb.txt"])
def test_no_name_leads_out_of_the_folder(desk: Desk, name: str) -> None:
    found = desk.add(name, f"text of {name!r}".encode())
    assert "/" not in found.name and "\\" not in found.name and found.name.isprintable()
    assert desk.intake.cabinet.path(found.sha256).read_bytes().startswith(b"text of")
    for odd in ("../x", "a" * 63, "A" * 64, ""):
        with pytest.raises(ValueError, match="SHA-256"):
            desk.intake.cabinet.path(odd)


def test_long_names_keep_their_ending_and_words_have_limits(desk: Desk) -> None:
    assert (
        plain_name("长" * 300 + ".xlsx").endswith("长.xlsx") and len(plain_name("长" * 300 + ".xlsx")) < 121
    )
    assert plain_name("..") == "file" and split_words("“a b” c c") == ["a b", "c"]
    for words, code in (
        (Words("x" * 121), "title"), (Words("x", "y" * 2001), "long"),
        (Words("x", tags=("u" * 31,)), "tags"),
        (Words("x", about=("house:1",)), "about"), (Words("x", about=("device:",)), "about"),
    ):  # fmt: skip
        with pytest.raises(DocumentRefused) as refused:
            desk.add("x.txt", b"x", title=words.title, note=words.note, tags=words.tags, about=words.about)
        assert refused.value.code == code


def test_a_file_without_a_row_goes_after_a_day_and_the_same_file_again_is_kept(tmp_path: Path) -> None:
    cabinet = Cabinet(tmp_path / "documents")

    class Away:
        def write_document(self, *_: object) -> None:
            raise StoreUnavailable("killed between file and row")

    intake = Intake(cabinet, Away())  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(StoreUnavailable), intake.receive() as came:
            came.write(picture())
            intake.take(came, "a.jpg", Words("a"), "li")
    (cabinet.folder / ".part-1").write_bytes(b"never received whole")
    left, now = files(cabinet), time.time()
    assert len(left) == 3, "one file, its small picture, and the half one"
    assert cabinet.sweep([], now) == 0 and files(cabinet) == left
    assert cabinet.sweep(list(cabinet.list_files()), now + ORPHAN_S + 60) == 1
    assert len(files(cabinet)) == 2
    assert cabinet.sweep([], now + ORPHAN_S + 60) == 1 and files(cabinet) == []


def test_files_go_along_with_backup_restore_and_export(tmp_path: Path) -> None:
    owner = StoreOwner(tmp_path / "x.duckdb", make_tiny_county().points)
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, TOKEN)
    store = StoreClient(uri, TOKEN)
    cabinet = Cabinet(tmp_path / "documents")
    desk = Desk(owner, store, Intake(cabinet, store))
    kept, gone = desk.add("泵.jpg", picture(), title="泵"), desk.add("b.txt", b"removed")
    desk.intake.remove(gone.no, "li")
    assert list_named_files(owner.db, time.time()) == sorted((kept.sha256, gone.sha256))
    assert list_named_files(owner.db, time.time() + KEEP_REMOVED_S + 60) == [kept.sha256]
    target = tmp_path / "copy.duckdb"
    back_up(owner.db.cursor(), target, cabinet)
    held = files(Cabinet(documents_beside(target)))
    assert held == files(cabinet)
    assert export_documents(owner.db, cabinet, tmp_path) == 1
    listed = json.loads((tmp_path / "documents.json").read_text())
    assert (tmp_path / listed[0]["file"]).read_bytes() == picture() and listed[0]["name"] == "泵.jpg"
    store.close()
    owner.close()
    for file in cabinet.folder.rglob("*"):
        if file.is_file():
            file.unlink()
    restore(target, tmp_path / "x.duckdb", cabinet.folder)
    assert files(cabinet) == held


def test_two_at_once_send_the_same_and_different_files(desk: Desk) -> None:
    def send(n: int) -> None:
        desk.add("same.txt", b"the same content", title=f"same {n}")
        desk.add("own.txt", f"content of {n}".encode(), title=f"own {n}")

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(desk.find("the same content")) == [f"same {n}" for n in range(4)]
    assert len({d.sha256 for d in desk.store.documents("the same content")}) == 1
    assert len({d.no for d in desk.store.documents(limit=1000)}) == len(desk.store.documents(limit=1000))
    assert not [f for f in files(desk.intake.cabinet) if ".part" in f]


def test_a_kind_is_told_by_content(tmp_path: Path) -> None:
    for name, data, media in (
        ("a.png", picture("PNG"), "image/png"), ("a.webp", picture("WEBP"), "image/webp"),
        ("a.dwg", b"AC1032" + bytes(50), "application/octet-stream"),
        ("a.log", b"x", "text/plain; charset=utf-8"),
        ("a.json", b"{}", "text/plain; charset=utf-8"),
    ):  # fmt: skip
        assert sniff(put(tmp_path, name, data), name).media == media


def test_unreadable_messages_are_found_by_topic_reason_and_payload(desk: Desk) -> None:
    none = np.zeros(0, np.int64)
    said = '{"站名": "滨河\\u7ad9"}'.encode()
    dead = DeadMessage("h1", 1_700_000_000_000_000, "heat/HRZ9/data", "unknown device 'HRZ9'", said)
    other = DeadMessage("h2", 1_700_000_000_000_000, "heat/x/data", "not JSON", b"\xff\x00'\\")
    desk.owner.write(Batch(none, none, none, np.zeros(0), none, dead=(dead, other)))
    for words, hashes in (
        ("站名", ["h1"]), ("HRZ9 unknown", ["h1"]), ("滨河", ["h1"]), ("'\\", ["h2"]), ("not JSON", ["h2"]),
        ("nothing", []), ("", []),
    ):  # fmt: skip
        assert [x.hash for x in desk.store.find_letters(words)] == hashes, words


def test_what_devices_said_is_found_by_words_and_by_device_and_goes_in_time(desk: Desk) -> None:
    none, now, hour = np.zeros(0, np.int64), 1_800_000_000, 3600
    said = {
        "a": HeardMessage(
            ("D-1", "D-2"), now * 10**6, "v1/gateway/telemetry", '{"滨河站": 88.5}'.encode(), 20
        ),
        "b": HeardMessage(("D-1",), (now - hour) * 10**6, "heat/HRZ9/data", b'{"P1_TS": 87}', 40_000),
        "c": HeardMessage(("D-3",), (now - 9 * 86_400) * 10**6, "heat/HRZ3/data", b'{"P1_TS": 1}', 12),
    }
    desk.owner.write(Batch(none, none, none, np.zeros(0), none, messages=tuple(said.values())))

    def found(words: str, device: str = "") -> str:
        topics = {m.topic: k for k, m in said.items()}
        return "".join(topics[m.topic] for m in desk.store.find_messages(words, device))

    for words, device, which in (
        ("滨河站", "", "a"), ("P1_TS", "", "bc"), ("P1_TS HRZ9", "", "b"), ("D-2", "", "a"), ("'", "", ""),
        ("", "D-1", "ab"), ("88.5", "D-1", "a"), ("", "", ""), ("", "nobody", ""),
    ):  # fmt: skip
        assert found(words, device) == which, (words, device)
    first = desk.store.find_messages("", "D-2")[0]
    assert (first.t, first.devices, first.size) == (now, ("D-1", "D-2"), 20)
    tidy(desk.owner.db, now * 10**6, 730)
    assert found("", "D-3") == "" and found("", "D-1") == "ab", "too old"
    flood = tuple(replace(said["b"], t_us=said["b"].t_us - i, devices=("D-9",)) for i in range(4100))
    desk.owner.write(Batch(none, none, none, np.zeros(0), none, messages=flood))
    tidy(desk.owner.db, now * 10**6, 730)
    kept = desk.owner.db.execute("SELECT count(*), bool_or(list_contains(devices, 'D-1')) FROM message")
    assert kept.fetchone() == (1 + 64_000_000 // 16_384, True), "the newest 64 MB"
