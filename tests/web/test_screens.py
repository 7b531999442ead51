"""Where pages are shown: walls, phones and foreign frames."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import Site, open_page


@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160), (7680, 2160)])
@pytest.mark.parametrize("path", ["/", "/heating", "/data-quality"])
def test_a_wall_has_no_scrollbars_no_chrome_and_scales_by_its_smaller_side(
    page: Page, site: Site, path: str, size: tuple[int, int]
) -> None:
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    open_page(page, site, f"{path}?kiosk=1&sel=S01")
    page.locator(".ct-kiosk .ct-panel").first.wait_for()
    expect(page.locator(".ct-nav, #ct-language")).to_have_count(0)
    expect(page.locator("#ct-clock")).to_contain_text(":")
    root = "document.documentElement"
    assert page.evaluate(f"() => [{root}.scrollWidth <= innerWidth, {root}.scrollHeight <= innerHeight]") == [
        True, True,
    ]  # fmt: skip
    font = float(page.evaluate(f"() => parseFloat(getComputedStyle({root}).fontSize)"))
    assert font == pytest.approx(16 * min(width / 1920, height / 1080))
    assert page.evaluate("() => getComputedStyle(document.querySelector('.ct-kiosk')).cursor") == "none"
    # what stands under another thing on a desk must not stand over it on a wall
    page.wait_for_function(
        "() => [...document.querySelectorAll('.ct-detail')].every((panel) => {"
        " const r = [...panel.children].filter((e) => e.offsetHeight).map((e) => e.getBoundingClientRect());"
        " return r.length && r.every((b, i) => i === 0 || b.top >= r[i - 1].bottom - 1)"
        " && r.at(-1).bottom <= panel.getBoundingClientRect().bottom + 1; })"
    )


def test_on_a_phone_there_is_one_column_and_fingers_find_their_targets(browser: Browser, site: Site) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, bypass_csp=True, device_scale_factor=2
    )
    page = context.new_page()
    for path in ("/", "/heating?sel=S01", "/data-quality"):
        open_page(page, site, path)
        page.locator(".ct-panel").first.wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390, path
        drawn = page.eval_on_selector_all(
            ".ag-root-wrapper", "(all) => all.map((e) => getComputedStyle(e).contentVisibility)"
        )
        assert set(drawn) <= {"visible"}, "a grid that is only drawn when it is in sight stays blank"
        heights = page.eval_on_selector_all(
            ".ct-nav-item, #ct-language, button.ct-matter",
            "all => all.map(e => e.getBoundingClientRect().height)",
        )
        assert heights and min(heights) >= 44, path
    context.close()


def test_an_embedded_view_has_no_frame_and_may_be_light(page: Page, site: Site) -> None:
    open_page(page, site, "/embed/heating?theme=light")
    expect(page.locator(".ct-top, .ct-nav")).to_have_count(0)
    page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    page.wait_for_function("() => getComputedStyle(document.body).backgroundColor === 'rgb(238, 242, 246)'")
