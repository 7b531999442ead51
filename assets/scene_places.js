/* Scene, part 26: boundaries with the way down from the county to a building; nodes, valves, room sensors; marks that
   other pages ask for (`ct-mark`), and spots they want seen (`ct-spot`). */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const MOST_BUILDINGS = 400;
  const NEAR_M = 250; // what is smaller is flown to like one place

  kit.Places = class Places {
    constructor(scene) {
      this.scene = scene;
      this.borders = scene.tables.borders;
      this.here = this.borders.findIndex((b) => b.kind === "county");
      this.only = false;
      this.marks = null;
      document.addEventListener("ct-mark", (this.take = (e) => this.mark(e.detail)));
      document.addEventListener("ct-spot", (this.seek = (e) => this.show(e.detail || {})));
      if (scene.chrome.menu && this.here >= 0) this.addBar();
    }

    name(b) {
      return this.scene.lang === "en" ? b.name_en || b.name : b.name;
    }

    children(k) {
      return this.borders.map((b, i) => ({ b, i })).filter(({ b }) => b.parent === k && b.kind !== "county");
    }

    /** From the county down to `k`. */
    way(k) {
      const up = [];
      for (let i = k; i >= 0; i = this.borders[i].parent) up.unshift(i);
      return up;
    }

    /** Whether a community (row in the list of borders) lies within the present area. */
    holds(k) {
      return k >= 0 && this.way(k).includes(this.here);
    }

    addBar() {
      this.bar = kit.element("nav", "ct-scene-places", { "aria-label": this.scene.texts.boundaries });
      this.scene.chrome.search.append(this.bar);
      this.drawBar();
    }

    drawBar() {
      if (!this.bar) return;
      const { texts } = this.scene;
      const parts = [];
      for (const k of this.way(this.here)) {
        const crumb = kit.element("button", "ct-scene-crumb", { type: "button", ...(k === this.here ? { "aria-current": "true" } : {}) }, this.name(this.borders[k]));
        crumb.addEventListener("click", () => this.go(k));
        parts.push(crumb, kit.element("span", "ct-scene-crumb-next", { "aria-hidden": "true" }, "›"));
      }
      const below = this.children(this.here);
      const rows = below.length ? below.map(({ b, i }) => [String(i), this.name(b)]) : this.listBuildings();
      const kind = below.length ? texts[`kind_${below[0].b.kind}`] : texts.kind_building;
      if (rows.length) {
        const select = kit.element("select", "ct-scene-crumb-list", { "aria-label": kind }, kit.element("option", "", { value: "" }, `${kind} (${rows.length})`),
          ...rows.map(([value, text]) => kit.element("option", "", { value }, text)));
        select.addEventListener("keydown", (e) => e.stopPropagation());
        select.addEventListener("change", () => select.value && (below.length ? this.go(Number(select.value)) : this.goBuilding(Number(select.value))));
        parts.push(select);
      } else parts.pop();
      if (this.way(this.here).length > 1) {
        const box = kit.element("input", "", { type: "checkbox", name: "only-here" });
        box.checked = this.only;
        box.addEventListener("change", () => this.filter(box.checked));
        parts.push(kit.element("label", "ct-scene-crumb-only", {}, box, texts.only_here));
      }
      this.bar.replaceChildren(...parts);
      this.scene.taken = null;
    }

    /** Buildings of the present community by name, then by number: [row, text]. */
    listBuildings() {
      const t = this.scene.tables.buildings;
      const rows = t.id.map((_, r) => r).filter((r) => t.place[r] === this.here);
      return rows.map((r) => [String(r), t.name[r] || t.id[r]]).sort((a, b) => a[1].localeCompare(b[1], "zh")).slice(0, MOST_BUILDINGS);
    }

    /** Show an area whole, and what lies below it in the list. */
    go(k) {
      const { scene } = this;
      this.here = k;
      const whole = this.borders[k].kind === "county";
      if (whole) this.only = false;
      scene.state.visible.borders = !whole || scene.state.visible.borders;
      this.filter(this.only);
      this.drawBar();
      const ring = this.borders[k].ring;
      if (whole) scene.reset();
      else if (ring.length) scene.turnTo(this.fit(ring), 700);
      document.dispatchEvent(new CustomEvent("ct-place", { detail: { id: this.borders[k].id, kind: this.borders[k].kind } }));
    }

    fit(ring) {
      const { scene } = this;
      const focus = { ...scene.spec.scene.focus, hull: ring, above: 0.12 };
      const spec = { ...scene.spec, scene: { ...scene.spec.scene, focus } };
      return kit.fitView(scene.deckModule, spec, scene.box(), Math.min(scene.view.pitch, 50), scene.view.bearing);
    }

    goBuilding(row) {
      const { scene } = this;
      scene.choice.spots = scene.choice.spots || kit.buildingSpots(scene.layerSet.entryOf("buildings"));
      const spot = scene.choice.spots.find((b) => b.row === row);
      if (!spot) return;
      scene.highlightRow(row);
      scene.flyTo(spot.at);
    }

    /** Fly to what a page points at: a building, which is lit, pipes or places, all of them in the picture. */
    show({ kind, ids = [] }) {
      const { scene } = this;
      scene.highlight("building", null);
      if (!scene.deck || !ids.length) return null;
      const { tables, spec } = scene;
      if (kind === "building") return this.goBuilding(tables.buildings.id.indexOf(ids[0]));
      const wanted = new Set(ids);
      const points = kind === "pipes"
        ? this.linesOf((row) => wanted.has(tables.pipes.id[row])).flat()
        : spec.scene.places.filter((p) => wanted.has(p.id)).map((p) => p.ground);
      if (!points.length) return null;
      const [x, y] = [0, 1].map((c) => points.map((p) => p[c]));
      const [west, east, south, north] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
      const middle = points[Math.floor(points.length / 2)];
      if (Math.hypot(east - west, north - south) < NEAR_M) return scene.flyTo(middle);
      const z = middle[2];
      return scene.turnTo(this.fit([[west, south, z], [east, south, z], [east, north, z], [west, north, z]]), 700);
    }

    /** Only what lies in the present area: buildings and stations. */
    filter(only) {
      const { scene } = this;
      this.only = only;
      const t = scene.tables.buildings;
      scene.rowFilter = only ? (row) => this.holds(t.place[row]) : null;
      const stations = only ? new Set(t.station.filter((s, r) => s >= 0 && this.holds(t.place[r]))) : null;
      const list = scene.spec.scene.places.filter((p) => p.kind === "station");
      scene.state.hidden = stations ? new Set(list.filter((_, i) => !stations.has(i)).map((p) => p.id)) : null;
      scene.cut();
      scene.draw();
      scene.redrawSoon();
    }

    mark(detail) {
      const { tables } = this.scene;
      this.marks = null;
      if (detail) {
        const row = (table, ids) => (ids || []).map((id) => tables[table].id.indexOf(id)).filter((i) => i >= 0);
        const valve = (i) => tables.valves.at.slice(3 * i, 3 * i + 3);
        const places = this.scene.spec.scene.places.filter((p) => (detail.stations || []).includes(p.id));
        this.marks = { pipes: new Set(row("pipes", detail.pipes)), spots: [...row("valves", detail.valves).map(valve), ...places.map((p) => p.top)] };
      }
      this.scene.draw();
      this.scene.redrawSoon();
    }

    build(deckModule) {
      return [...this.buildBorders(deckModule), ...this.buildSpots(deckModule), ...this.buildMarks(deckModule)];
    }

    base(deckModule) {
      return { coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS, coordinateOrigin: this.scene.spec.scene.origin };
    }

    buildBorders(deckModule) {
      const { scene } = this;
      if (!scene.state.visible.borders) return [];
      const shown = [this.here, ...this.children(this.here).map(({ i }) => i)].filter((k) => k >= 0 && this.borders[k].ring.length);
      const { accent, marker } = scene.spec.scene.palette;
      return [new deckModule.PathLayer({
        ...this.base(deckModule), id: "borders", opacity: scene.state.opacity.borders || 1, data: shown, getPath: (k) => this.borders[k].ring, billboard: true, jointRounded: true,
        getColor: (k) => (k === this.here ? [...accent, 255] : [...marker, 150]), getWidth: (k) => (k === this.here ? 3 : 1.4) * kit.uiScale(),
        widthUnits: "pixels", parameters: { depthCompare: "always" }, updateTriggers: { getColor: this.here, getWidth: this.here },
      })];
    }

    buildSpots(deckModule) {
      const { scene } = this;
      const { palette } = scene.spec.scene;
      const looks = {
        nodes: { colour: palette.marker, radius: 2.6 }, valves: { colour: palette.accent, radius: 4.2 }, sensors: { colour: palette.supply[4], radius: 3.4 },
      };
      return Object.entries(looks).filter(([name]) => scene.state.visible[name]).map(([name, { colour, radius }]) => {
        const { at } = scene.tables[name];
        this.arrays = this.arrays || {};
        this.arrays[name] = this.arrays[name] || new Float32Array(at);
        return new deckModule.ScatterplotLayer({
          ...this.base(deckModule), id: `spots.${name}`, pickable: true, opacity: scene.state.opacity[name] || 1,
          data: { length: at.length / 3, attributes: { getPosition: { value: this.arrays[name], size: 3 } } },
          getFillColor: [...colour, 235], getLineColor: [...palette.casing, 255], stroked: true, getLineWidth: 1, lineWidthUnits: "pixels",
          getRadius: radius * kit.uiScale(), radiusUnits: "pixels", billboard: true, getPolygonOffset: () => [0, -300],
        });
      });
    }

    /** The drawn axes of the pipes that are wanted by their row, a little above. */
    linesOf(wanted) {
      const lines = [];
      for (const entry of this.scene.layerSet.entries) {
        if (!entry.live || entry.props.id.endsWith(".hidden")) continue;
        const { startIndices: s, attributes } = entry.props.data;
        const v = attributes.getPath.value;
        entry.row.forEach((row, k) => {
          if (!wanted(row)) return;
          lines.push(Array.from({ length: s[k + 1] - s[k] }, (_, i) => [v[3 * (s[k] + i)], v[3 * (s[k] + i) + 1], v[3 * (s[k] + i) + 2] + 1]));
        });
      }
      return lines;
    }

    buildMarks(deckModule) {
      if (!this.marks) return [];
      const { scene } = this;
      const lines = this.linesOf((row) => this.marks.pipes.has(row));
      const { accent } = scene.spec.scene.palette;
      const ui = kit.uiScale();
      const base = { ...this.base(deckModule), parameters: { depthCompare: "always" } };
      return [
        new deckModule.PathLayer({ ...base, id: "marks.pipes", data: lines, getPath: (d) => d, getColor: [...accent, 200], getWidth: 9 * ui, widthUnits: "pixels", billboard: true, capRounded: true, jointRounded: true }),
        new deckModule.ScatterplotLayer({ ...base, id: "marks.spots", data: this.marks.spots, getPosition: (d) => d, filled: false, stroked: true, getLineColor: [...accent, 255], getLineWidth: 3 * ui, lineWidthUnits: "pixels", getRadius: 13 * ui, radiusUnits: "pixels", billboard: true }),
      ];
    }

    close() {
      document.removeEventListener("ct-mark", this.take);
      document.removeEventListener("ct-spot", this.seek);
    }
  };
})();
