/* Scene, part 15: single buildings on the photograph (单体化): which building a place on the surface belongs to, and the
   body drawn over the one under the pointer or chosen. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const CELL_M = 40;
  const NEAR_M = 1.6; // a wall of the photograph stands this far from the surveyed outline at most
  const ABOVE_M = 6; // so much may stand on a roof
  const GROW_M = 0.5;

  /** Distance (m) from a place to a ring (flat x, y, z ...), negative inside. */
  function distanceTo(v, from, to, x, y) {
    let best = Infinity;
    let inside = false;
    for (let i = from, j = to - 1; i < to; j = i++) {
      const [ax, ay, bx, by] = [v[3 * j], v[3 * j + 1], v[3 * i], v[3 * i + 1]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
      const [dx, dy] = [bx - ax, by - ay];
      const t = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0), 1);
      best = Math.min(best, Math.hypot(ax + t * dx - x, ay + t * dy - y));
    }
    return inside ? -best : best;
  }

  kit.Footprints = class Footprints {
    /** `entry`: the layer of the buildings with its arrays. */
    constructor(entry) {
      const { data, row } = entry.whole || { data: entry.props.data, row: entry.row };
      this.vertices = data.attributes.getPolygon.value;
      this.heights = data.attributes.getElevation.value;
      this.starts = data.startIndices;
      this.rows = row;
      this.cells = new Map();
      for (let n = 0; n < this.rows.length; n++) {
        let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
        for (let i = this.starts[n]; i < this.starts[n + 1]; i++) {
          const [x, y] = [this.vertices[3 * i], this.vertices[3 * i + 1]];
          [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
        }
        for (let i = Math.floor((x0 - NEAR_M) / CELL_M); i <= Math.floor((x1 + NEAR_M) / CELL_M); i++) {
          for (let j = Math.floor((y0 - NEAR_M) / CELL_M); j <= Math.floor((y1 + NEAR_M) / CELL_M); j++) {
            const key = `${i},${j}`;
            if (!this.cells.has(key)) this.cells.set(key, []);
            this.cells.get(key).push(n);
          }
        }
      }
    }

    /** Row of the building at a place of the surface (local metres), or null. The nearest outline wins. */
    find(x, y, z) {
      let [best, row] = [NEAR_M, null];
      for (const n of this.cells.get(`${Math.floor(x / CELL_M)},${Math.floor(y / CELL_M)}`) || []) {
        const [from, to] = [this.starts[n], this.starts[n + 1]];
        const base = this.vertices[3 * from + 2];
        const d = distanceTo(this.vertices, from, to, x, y);
        // beside the outline only what rises from the ground is the wall; the pavement is not
        if (d > 0 && z < base + 2) continue;
        if (z > base + this.heights[from] + ABOVE_M || d >= best) continue;
        [best, row] = [d, this.rows[n]];
      }
      return row;
    }

    /** Outline a little larger than the building, its base and height. */
    body(row) {
      const n = this.rows.indexOf(row);
      if (n < 0) return null;
      const ring = [];
      for (let i = this.starts[n]; i < this.starts[n + 1] - 1; i++) ring.push([this.vertices[3 * i], this.vertices[3 * i + 1]]);
      const base = this.vertices[3 * this.starts[n] + 2];
      const grown = ring.map((p, i) => {
        const [a, b] = [ring[(i + ring.length - 1) % ring.length], ring[(i + 1) % ring.length]];
        const [tx, ty] = [b[0] - a[0], b[1] - a[1]];
        const long = Math.hypot(tx, ty) || 1;
        return [p[0] - (ty / long) * GROW_M, p[1] + (tx / long) * GROW_M, base]; // rings run clockwise
      });
      return { polygon: grown, height: this.heights[this.starts[n]] + GROW_M };
    }
  };

  /** Bodies over the building under the pointer and the chosen one. */
  kit.buildHighlight = function (deckModule, scene) {
    const { state, pointer } = scene;
    if (!pointer || !pointer.footprints) return [];
    const rows = [...new Set([state.building, state.hovered])].filter((r) => r !== null && r !== undefined);
    const bodies = rows.map((row) => ({ row, ...pointer.footprints.body(row) })).filter((b) => b.polygon);
    if (!bodies.length) return [];
    const { accent } = scene.spec.scene.palette;
    return [new deckModule.SolidPolygonLayer({
      id: "buildings.highlight",
      data: bodies,
      coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS,
      coordinateOrigin: scene.spec.scene.origin,
      extruded: true,
      getPolygon: (b) => b.polygon,
      getElevation: (b) => b.height,
      getFillColor: (b) => [...accent, b.row === state.building ? 120 : 80],
      updateTriggers: { getFillColor: state.building },
      material: { ambient: 0.8, diffuse: 0.3, shininess: 1, specularColor: [0, 0, 0] },
      getPolygonOffset: () => [-4, -400],
    })];
  };

  /** Lines of the layer list for the catalogue's layers: on and off, opacity, colours of the buildings. */
  kit.addPhotoMenu = function (scene) {
    const { chrome, photo, texts, state } = scene;
    if (chrome.photoMenu) chrome.photoMenu.remove();
    const menu = (chrome.photoMenu = kit.element("div", "ct-scene-menu-photo"));
    menu.append(kit.element("p", "ct-scene-menu-title", {}, texts.photo));
    for (const { row } of photo.layers) {
      const role = `tiles.${row.id}`;
      const box = kit.element("input", "", { type: "checkbox", name: role });
      box.checked = state.visible[role] !== false;
      box.addEventListener("change", () => scene.show(role, box.checked));
      menu.append(kit.element("label", "", {}, box, row.title));
    }
    const tint = kit.element("input", "", { type: "checkbox", name: "tint" });
    tint.checked = Boolean(state.visible.tint);
    tint.addEventListener("change", () => scene.show("tint", tint.checked));
    menu.append(kit.element("label", "", {}, tint, texts.tint));
    const range = kit.element("input", "", { type: "range", min: "0.2", max: "1", step: "0.1", "aria-label": texts.opacity, name: "photo-opacity" });
    range.value = String(photo.opacity);
    range.addEventListener("input", () => {
      photo.opacity = Number(range.value);
      scene.draw();
    });
    menu.append(kit.element("label", "", {}, texts.opacity, range));
    chrome.menu.prepend(menu);
  };
})();
