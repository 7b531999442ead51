"""The sign-in page: plain HTML of its own, since nothing else is served before it."""

from html import escape
from urllib.parse import quote

TEXTS = {
    "title": ("登录 · 县域孪生", "Sign in · County Twin"),
    "head": ("县域孪生", "County Twin"),
    "name": ("账号", "Account"),
    "password": ("密码", "Password"),
    "send": ("登录", "Sign in"),
    "wrong": ("账号或密码不对。", "The account or the password is wrong."),
    "locked": (
        "失败次数过多，请在 {minutes} 分钟后再试。",
        "Too many failures: wait {minutes} minutes.",
    ),
    "other": ("English", "中文"),
}

_STYLE = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#0b1626;color:#dbe5f1;"
    "font:16px/1.5 'Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif}"
    "form{width:min(20rem,86vw);padding:2rem;background:#122036;border:1px solid #24364f;border-radius:6px}"
    "h1{font-size:1.25rem;font-weight:500;margin:0 0 1.5rem}"
    "label{display:block;margin:0 0 1rem;color:#9fb2c8}"
    "input{box-sizing:border-box;width:100%;min-height:44px;margin-top:.25rem;padding:0 .75rem;font:inherit;"
    "color:#eef4fb;background:#0b1626;border:1px solid #34496a;border-radius:4px}"
    "input:focus{outline:2px solid #5aa9e6;outline-offset:1px}"
    "button{width:100%;min-height:44px;font:inherit;color:#06121f;background:#7cc0f2;border:0;border-radius:4px}"
    "p{margin:0 0 1rem;padding:.5rem .75rem;border-left:3px solid #e0a458;background:#1a2a42}"
    "a{display:block;margin-top:1.25rem;color:#9fb2c8;text-align:right;font-size:.875rem}"
)


def draw_login(lang: str, target: str, problem: str = "", minutes: int = 0) -> str:
    """Return the page.

    Parameters
    ----------
    target : path to go to afterwards
    problem : key of ``TEXTS`` shown above the form, or empty
    """
    column = 1 if lang == "en" else 0
    text = {key: escape(pair[column].format(minutes=minutes)) for key, pair in TEXTS.items()}
    said = f'<p role="alert">{text[problem]}</p>' if problem else ""
    other = "zh" if lang == "en" else "en"
    return (
        f'<!doctype html><html lang="{"en" if column else "zh-CN"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text['title']}</title><style>{_STYLE}</style></head><body>"
        f'<form method="post" action="/login?lang={lang}"><h1>{text["head"]}</h1>{said}'
        f'<label>{text["name"]}<input name="name" autocomplete="username" required autofocus></label>'
        f'<label>{text["password"]}<input name="password" type="password" '
        'autocomplete="current-password" required></label>'
        f'<input type="hidden" name="next" value="{escape(target, quote=True)}">'
        f"<button>{text['send']}</button>"
        f'<a href="/login?lang={other}&amp;next={quote(target, safe="")}">{text["other"]}</a>'
        "</form></body></html>"
    )


def safe_target(text: str) -> str:
    """Return a path on this server: what is asked for, or ``/`` when it would lead elsewhere."""
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if plain and not text.startswith(("/login", "/logout")) else "/"
