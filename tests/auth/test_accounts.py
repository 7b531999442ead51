import json
import stat
from pathlib import Path

import pytest

from app.auth.accounts import AccountFile
from app.auth.lockout import Lockout
from app.auth.page import safe_target
from app.auth.tokens import SESSION_S, Tokens, read_secret
from twin.model.errors import InputError

GOOD = "Qingshui-2026"


@pytest.fixture
def file(tmp_path: Path) -> AccountFile:
    return AccountFile(tmp_path / "auth" / "accounts.json")


def test_a_password_is_kept_as_a_hash_in_a_private_file(file: AccountFile) -> None:
    file.add("zhang", GOOD, "admin")
    text = file.path.read_text()
    assert GOOD not in text and "$argon2id$" in text
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_only_the_right_password_is_right(file: AccountFile) -> None:
    file.add("张伟", GOOD, "viewer")
    account = file.verify("张伟", GOOD)
    assert account is not None and account.role == "viewer"
    assert file.verify("张伟", GOOD + " ") is None
    assert file.verify("nobody", GOOD) is None


def test_a_change_made_elsewhere_is_seen(file: AccountFile) -> None:
    assert file.accounts() == {}
    AccountFile(file.path).add("li", GOOD, "operator")
    assert list(file.accounts()) == ["li"]
    AccountFile(file.path).remove("li")
    assert file.accounts() == {}


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "abababababab", "my-zhang-2026", "x" * 1001])
def test_weak_passwords_are_refused(file: AccountFile, password: str) -> None:
    with pytest.raises(InputError, match="password"):
        file.add("zhang", password, "viewer")
    assert not file.path.exists()


def test_odd_names_roles_and_repetitions_are_refused(file: AccountFile) -> None:
    for name in ("", "a", "a b", "x" * 41, "<script>", "a\nb"):
        with pytest.raises(InputError, match="no name"):
            file.add(name, GOOD, "viewer")
    with pytest.raises(InputError, match="viewer, operator, admin"):
        file.add("li", GOOD, "root")  # type: ignore[arg-type]
    file.add("li", GOOD, "viewer")
    with pytest.raises(InputError, match="already"):
        file.add("li", GOOD, "admin")
    with pytest.raises(InputError, match="no account wang"):
        file.remove("wang")
    assert file.accounts()["li"].role == "viewer"


def test_a_damaged_file_is_named_and_not_overwritten(file: AccountFile) -> None:
    file.add("li", GOOD, "viewer")
    file.path.write_text("{half")
    with pytest.raises(InputError, match=r"accounts\.json cannot be read"):
        AccountFile(file.path).add("wang", GOOD, "admin")
    assert file.path.read_text() == "{half"


def test_a_session_ends_with_the_password_the_account_and_the_shift(
    file: AccountFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Tokens("secret")
    cookie = tokens.sign_session(file.add("li", GOOD, "viewer"))
    known = tokens.read_session(cookie, file.accounts())
    assert known is not None and known[0].name == "li"
    assert Tokens("other").read_session(cookie, file.accounts()) is None
    assert tokens.read_session(cookie[:-2] + "xx", file.accounts()) is None
    assert tokens.read_session(tokens.sign_link("/embed/x", 9e9), file.accounts()) is None
    now = known[1]
    monkeypatch.setattr("time.time", lambda: now + SESSION_S + 5)
    assert tokens.read_session(cookie, file.accounts()) is None
    monkeypatch.undo()
    file.set_password("li", GOOD + "!")
    assert tokens.read_session(cookie, file.accounts()) is None
    file.remove("li")
    assert tokens.read_session(cookie, file.accounts()) is None


def test_a_link_opens_its_path_until_it_expires() -> None:
    tokens = Tokens("secret")
    key = tokens.sign_link("/embed/overview", 1000.0)
    assert tokens.read_link(key, 999.0) == "/embed/overview"
    assert tokens.read_link(key, 1000.0) is None
    assert tokens.read_link(key[:-1], 10.0) is None


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "auth" / "secret.key"
    first = read_secret(path)
    assert len(first) == 64 and read_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_failures_lock_for_a_while_and_success_forgets() -> None:
    now = [0.0]
    lockout = Lockout(limit=3, window_s=100.0, lock_s=60.0, clock=lambda: now[0])
    for _ in range(2):
        lockout.note_failure("name li", "address 1")
    assert lockout.wait_s("name li", "address 1") == 0.0
    lockout.note_failure("name li")
    assert lockout.wait_s("name li", "address 2") == 60.0
    assert lockout.wait_s("address 1") == 0.0
    now[0] = 61.0
    assert lockout.wait_s("name li") == 0.0
    lockout.note_failure("address 1")
    assert lockout.wait_s("address 1") == 60.0
    lockout.note_success("address 1")
    assert lockout.wait_s("address 1") == 0.0


def test_old_failures_do_not_count() -> None:
    now = [0.0]
    lockout = Lockout(limit=2, window_s=10.0, clock=lambda: now[0])
    lockout.note_failure("x")
    now[0] = 11.0
    lockout.note_failure("x")
    assert lockout.wait_s("x") == 0.0


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\nb", "/login"]
)
def test_sign_in_never_leads_elsewhere(target: str) -> None:
    assert safe_target(target) == "/"


def test_sign_in_leads_back_to_the_page() -> None:
    assert safe_target("/heating?station=S01") == "/heating?station=S01"


def test_the_file_is_plain_json(file: AccountFile) -> None:
    file.add("li", GOOD, "viewer")
    (row,) = json.loads(file.path.read_text())["accounts"]
    assert set(row) == {"name", "role", "hash", "stamp", "created"}
