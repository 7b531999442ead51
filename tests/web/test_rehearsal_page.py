"""The rehearsal room and the drill in a real Chromium: from a click on a pipe to a score."""

from playwright.sync_api import Page, expect

from tests.web.conftest import Site, open_page
from tests.web.test_rehearsal import answer
from twin.rehearsal import Incident

MIDDLE = """(id) => {
  const stage = CT.scene.stage, box = stage.host.getBoundingClientRect();
  const entry = CT.scene.deck.props.layers.find((l) => l && l.id === 'pipes.supply').props.data;
  const k = CT.scene.rows('pipes.supply').indexOf(stage.tables.pipes.id.indexOf(id));
  const s = entry.startIndices, v = Math.floor((s[k] + s[k + 1] - 1) / 2);
  const [x, y] = CT.scene.project(Array.from(entry.attributes.getPath.value.slice(3 * v, 3 * v + 3)));
  return [box.left + x, box.top + y];
}"""
LABEL = ".ct-scene-label-station .ct-scene-label-value"
LAST = """() => {
  const bar = document.getElementById('rehearsal-time');
  bar.value = bar.max;
  bar.dispatchEvent(new Event('input', { bubbles: true }));
}"""


def test_a_pipe_is_picked_in_the_scene_rehearsed_kept_and_its_drill_scored(page: Page, site: Site) -> None:
    pipe = "P02-S"
    answer(Incident("burst", pipe, 0.08), hours=1.0)  # compiled before the browser waits
    open_page(page, site, "/rehearsal")
    page.wait_for_function("CT.scene?.ready && CT.scene.stage.tables && CT.sceneKit.lastNetwork")
    page.mouse.click(*page.evaluate(MIDDLE, pipe))
    expect(page.locator("#rehearsal-place")).to_contain_text("P02-")  # supply and return lie side by side
    expect(page.locator(LABEL).first).to_have_text("88.0 °C")
    page.locator("#rehearsal-run").click()
    expect(page.locator("#rehearsal-table tr[data-case]").first).to_be_visible()
    expect(page.locator("#rehearsal-time")).to_be_enabled()
    first = page.locator("#rehearsal-clock").inner_text()
    page.evaluate(LAST)
    expect(page.locator("#rehearsal-clock")).not_to_have_text(first)
    shown = page.evaluate(
        """() => { const p = CT.scene.spec.scene.places.find((p) => p.kind === 'station');
        return CT.sceneKit.lastNetwork.tSupply[p.node].toFixed(1); }"""
    )
    expect(page.locator(LABEL).first).to_have_text(f"{shown} °C")
    assert shown != "88.0"
    expect(page.locator(".ct-scene-legend").first).to_contain_text("预演")
    with page.expect_download():
        page.locator("#rehearsal-save").click()
    page.locator("a[href^='/drill']").first.click()
    points = page.locator("#drill-sheet input[type=number]")
    expect(points.first).to_be_visible()
    points.first.fill("3")
    expect(page.locator("#drill-total")).to_contain_text("/ 100")
    page.locator("#drill-save").click()
    expect(page.locator("#drill-done")).not_to_be_empty()
    kept = site.store.kept("drill")
    body = site.store.kept_body(kept[0].no)
    assert isinstance(body, dict) and body["rows"][0]["actual_min"] == 3.0
