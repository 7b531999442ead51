/* Scene, part 4: labels of stations and sources. They are HTML: sharp at any pixel ratio of the canvas, set in
   the page's Chinese font, and reachable by keyboard. Greedy de-overlap with memory, so that labels do not
   flicker between places while the camera moves. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const GAP = 4;
  const REACH = 13; // px from the marker's centre to the label, at the desk
  const SPOTS = [
    (w, h, u) => [-w / 2, -h - REACH * u],
    (w, h, u) => [REACH * u, -h / 2],
    (w, h, u) => [-w - REACH * u, -h / 2],
    (w, h, u) => [-w / 2, REACH * u],
    (w, h, u) => [9 * u, -h - 6 * u],
    (w, h, u) => [-w - 9 * u, -h - 6 * u],
  ];

  /** The marker says what it is: the name without the word station is enough beside it. */
  const shortName = (place, lang) =>
    (lang === "en" ? place.short_en || place.name_en : place.short) || place.name;

  const clash = (a, b) => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];

  kit.Labels = class Labels {
    /** `onPick(place)` is called for a click or Enter on a label. */
    constructor(host, places, lang, onPick) {
      this.layer = kit.element("div", "ct-scene-labels");
      host.append(this.layer);
      this.items = places.map((place) => {
        const value = kit.element("span", "ct-scene-label-value");
        const name = kit.element("span", "ct-scene-label-name", {}, shortName(place, lang));
        const node = kit.element("button", `ct-scene-label ct-scene-label-${place.kind}`, {
          type: "button", "data-place": place.id, title: lang === "en" ? place.name_en || place.name : place.name,
        }, name, value);
        node.addEventListener("click", () => onPick(place));
        this.layer.append(node);
        return { place, node, value, spot: 0, shown: false, text: "", width: 0, height: 0 };
      });
      this.byId = new Map(this.items.map((item) => [item.place.id, item]));
      this.selected = null;
      this.sort();
    }

    sort() {
      const rank = (i) =>
        (i.place.id === this.selected ? 1e12 : 0) + (i.place.kind === "source" ? 1e9 : 0) + i.place.area_m2;
      this.items.sort((a, b) => rank(b) - rank(a));
    }

    select(id) {
      this.selected = id;
      for (const item of this.items) item.node.classList.toggle("is-selected", item.place.id === id);
      this.layer.classList.toggle("has-selection", Boolean(id));
      this.sort();
    }

    /** Text beside the name; `stale` greys it. Returns whether anything changed. Figures are of one width each. */
    setValue(id, text, stale) {
      const item = this.byId.get(id);
      if (!item) return false;
      if (item.stale !== stale) item.node.classList.toggle("is-stale", (item.stale = stale));
      if (item.text === text) return false;
      if (item.text.length !== text.length) item.width = 0;
      item.text = text;
      item.value.textContent = text;
      return true;
    }

    /** Place every label for this view. `taken`: rectangles of the controls, [left, top, right, bottom].
        Returns what is taken now. */
    place(project, width, height, taken, visible) {
      this.scale = kit.uiScale();
      const r = 9 * this.scale;
      const boxes = taken.slice();
      const anchors = this.items.map((item) => {
        const [x, y] = project(item.place.top);
        const kindShown = visible[item.place.kind === "source" ? "sources" : "stations"] !== false;
        return { item, x, y, on: kindShown && x > 0 && x < width && y > 0 && y < height };
      });
      for (const a of anchors) if (a.on) boxes.push([a.x - r, a.y - r, a.x + r, a.y + r]);
      for (const { item, x, y, on } of anchors) {
        const where = on && visible.labels !== false ? this.findSpot(item, x, y, width, height, boxes) : null;
        if (!where) {
          if (item.shown) item.node.style.visibility = "hidden";
          item.shown = false;
          continue;
        }
        boxes.push(where);
        item.node.style.transform = `translate(${Math.round(where[0])}px, ${Math.round(where[1])}px)`;
        if (!item.shown) item.node.style.visibility = "visible";
        item.shown = true;
      }
      return boxes;
    }

    findSpot(item, x, y, width, height, boxes) {
      if (!item.width) {
        item.width = item.node.offsetWidth;
        item.height = item.node.offsetHeight;
      }
      const order = [item.spot, ...SPOTS.keys()];
      for (const spot of order) {
        const [dx, dy] = SPOTS[spot](item.width, item.height, this.scale);
        const box = [x + dx, y + dy, x + dx + item.width, y + dy + item.height];
        if (box[0] < 2 || box[1] < 2 || box[2] > width - 2 || box[3] > height - 2) continue;
        const wide = [box[0] - GAP, box[1] - GAP, box[2] + GAP, box[3] + GAP];
        if (boxes.some((b) => clash(wide, b))) continue;
        item.spot = spot;
        return box;
      }
      return null;
    }

    remove() {
      this.layer.remove();
    }
  };
})();
