/* Scene, part 9: names on the map: townships, villages, streets, waters. Quiet words that give way to the live
   labels and to each other; a street's name lies along it. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const FROM_ZOOM = [0, 0, 13.2, 14.0, 15.0]; // by rank
  const GAP = 6;
  const LONGEST_M = 460; // a street name may cover this much of its street
  const ANCHOR_M = 140; // length of the stretch a street's spot describes

  const clash = (a, b) => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];

  kit.MapNames = class MapNames {
    constructor(host, names, lang) {
      this.layer = kit.element("div", "ct-scene-names", { "aria-hidden": "true" });
      host.append(this.layer);
      this.items = names.map((name) => {
        const text = lang === "en" ? name.name_en || name.name : name.name;
        const node = kit.element("span", `ct-scene-name ct-scene-name-${name.kind}`, {}, text);
        this.layer.append(node);
        const spots = name.spots.map((s) => (s.length > 3 ? [s.slice(0, 3), s.slice(3)] : [s]));
        return { rank: name.rank, node, spots, spot: 0, shown: false, width: 0, height: 0 };
      });
      this.items.sort((a, b) => a.rank - b.rank);
    }

    /** Place every name for this view; `boxes`: what is taken, [left, top, right, bottom]. */
    place(project, width, height, boxes, visible, zoom) {
      const taken = boxes.slice();
      for (const item of this.items) {
        const wanted = visible.names !== false && zoom >= FROM_ZOOM[item.rank];
        const found = wanted ? this.findSpot(item, project, width, height, taken) : null;
        if (found) {
          taken.push(found.box);
          item.node.style.transform = found.transform;
        }
        if (Boolean(found) !== item.shown) item.node.style.visibility = found ? "visible" : "hidden";
        item.shown = Boolean(found);
      }
    }

    findSpot(item, project, width, height, taken) {
      if (!item.width) {
        item.width = item.node.offsetWidth;
        item.height = item.node.offsetHeight;
      }
      for (const index of [item.spot, ...item.spots.keys()]) {
        const [a, b] = item.spots[index].map((p) => project(p));
        const at = b ? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] : a;
        let turn = 0;
        if (b) {
          const long = Math.hypot(b[0] - a[0], b[1] - a[1]);
          if (item.width > (LONGEST_M / ANCHOR_M) * long) continue;
          turn = Math.atan2(b[1] - a[1], b[0] - a[0]);
          if (Math.abs(turn) > Math.PI / 2) turn -= Math.sign(turn) * Math.PI;
        }
        const [c, s] = [Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn))];
        const [w, h] = [(item.width * c + item.height * s) / 2, (item.width * s + item.height * c) / 2];
        const box = [at[0] - w - GAP, at[1] - h - GAP, at[0] + w + GAP, at[1] + h + GAP];
        if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) continue;
        if (taken.some((t) => clash(box, t))) continue;
        item.spot = index;
        const [x, y] = [Math.round(at[0] - item.width / 2), Math.round(at[1] - item.height / 2)];
        return { box, transform: `translate(${x}px, ${y}px) rotate(${turn.toFixed(3)}rad)` };
      }
      return null;
    }

    remove() {
      this.layer.remove();
    }
  };
})();
