/* Scene, part 23: a section along the pipes between two places: pressure diagram (heads of supply and return over the
   ground) and temperatures, drawn by the server as on the heating page; the chart and the scene show the same spot. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const KEYS = ["heads", "temperatures"];

  kit.Section = class Section {
    constructor(scene) {
      this.scene = scene;
      this.on = false;
      this.clear();
      document.addEventListener("ct-time", (this.again = () => this.on && this.ends.length && this.ask()));
    }

    clear() {
      this.ends = [];
      this.told = null;
      this.path = null;
      this.spot = null;
    }

    toggle(on = !this.on) {
      if (on === this.on) return;
      this.on = on;
      this.clear();
      const { scene } = this;
      scene.chrome.setNote(on ? scene.texts.section_hint : "");
      if (!on) scene.panel.close();
      const chosen = on && scene.spec.scene.places.find((p) => p.id === scene.state.selected);
      if (chosen) this.add({ id: chosen.id });
      scene.draw();
    }

    /** A click while the tool is on; `found` as `Pointer.pick` says. */
    click(found) {
      if (!found) return;
      const id = found.kind === "station" || found.kind === "source" ? found.id : this.nodeOf(found);
      if (id) this.add({ id });
    }

    /** The end of a pipe that is nearer to the click. */
    nodeOf(found) {
      const { tables } = this.scene;
      if (found.kind !== "pipe" || !tables || !found.coordinate) return null;
      const [x, y] = this.scene.pointer.toLocal(found.coordinate);
      const { at, id } = tables.nodes;
      const ends = [tables.pipes.from[found.row], tables.pipes.to[found.row]].filter((n) => n >= 0);
      const far = (n) => Math.hypot(at[3 * n] - x, at[3 * n + 1] - y);
      return ends.length ? id[ends.reduce((a, b) => (far(b) < far(a) ? b : a))] : null;
    }

    add(end) {
      if (this.ends.length >= 2) this.ends = [];
      if (this.ends.length && this.ends[0].id === end.id) return;
      this.ends.push(end);
      this.ask();
    }

    /** Both charts from the server; without a first end the way begins at the source. */
    async ask() {
      const { scene } = this;
      const [a, b] = this.ends;
      const query = { to: (b || a).id, from: b ? a.id : "", lang: scene.lang, theme: scene.theme };
      if (scene.time && scene.time.t) query.t = scene.time.t;
      const turn = (this.turn = (this.turn || 0) + 1);
      try {
        const told = await Promise.all(KEYS.map(async (key) => {
          const response = await fetch(`/scene/section.json?${new URLSearchParams({ ...query, key })}`, { credentials: "same-origin" });
          if (!response.ok) throw new Error(`section.json: ${response.status}`);
          return response.json();
        }));
        if (turn !== this.turn || !this.on) return;
        this.told = told;
        this.path = told[0].places.map(([lon, lat, h]) => scene.pointer.toLocal([lon, lat, h + 4]));
        this.show();
      } catch (error) {
        console.warn("scene:", error.message);
        if (turn !== this.turn || !this.on) return;
        this.told = this.path = null;
        scene.chrome.setNote(scene.texts.section_none);
        if (b) this.ends = [b];
      }
      scene.draw();
    }

    nameOf(id) {
      const place = this.scene.spec.scene.places.find((p) => p.id === id);
      return place ? place.label : `${this.scene.texts.node} ${id}`;
    }

    show() {
      const { scene } = this;
      const { texts } = scene;
      scene.chrome.setNote("");
      const charts = KEYS.map((key) => kit.element("div", "ct-scene-chart", { "data-key": key }));
      const body = kit.element("div", "ct-scene-panel-body", {}, ...charts.flatMap((c, i) => [kit.element("h4", "", {}, texts[`section_${KEYS[i]}`]), c]));
      scene.panel.open(`${this.nameOf(this.told[0].from)} → ${this.nameOf(this.told[0].to)}`, body, () => this.on && this.toggle(false) === undefined && scene.setToolState());
      this.drawCharts(charts, this.turn);
    }

    /** The page's own chart library; on a slow start it may still be on its way. */
    async drawCharts(charts, turn) {
      while (!window.Plotly) {
        await new Promise((done) => setTimeout(done, 300));
        if (turn !== this.turn || !this.on) return;
      }
      charts.forEach((node, i) => {
        const { data, layout } = this.told[i].figure;
        window.Plotly.newPlot(node, data, { ...layout, autosize: true, height: undefined, margin: { ...layout.margin, l: 44, r: 8, t: 26 } }, { displayModeBar: false, responsive: true });
        node.on("plotly_hover", (e) => this.mark(1000 * e.points[0].x));
        node.on("plotly_unhover", () => this.mark(null));
      });
    }

    /** Mark the place at a distance along the way in the scene. */
    mark(distance_m) {
      const d = this.told && this.told[0].distance_m;
      this.spot = null;
      if (d && distance_m !== null) {
        const k = Math.min(Math.max(d.findIndex((v) => v >= distance_m), 1), d.length - 1);
        const f = Math.min(Math.max((distance_m - d[k - 1]) / Math.max(d[k] - d[k - 1], 1e-9), 0), 1);
        this.spot = this.path[k - 1].map((v, i) => v + f * (this.path[k][i] - v));
      }
      this.scene.draw();
    }

    build(deckModule) {
      if (!this.on || !this.path) return [];
      const { palette } = this.scene.spec.scene;
      const base = {
        coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS, coordinateOrigin: this.scene.spec.scene.origin,
        parameters: { depthCompare: "always" },
      };
      const ui = kit.uiScale();
      const spots = [this.path[0], this.path[this.path.length - 1], ...(this.spot ? [this.spot] : [])];
      return [
        new deckModule.PathLayer({ ...base, id: "section.line", data: [this.path], getPath: (d) => d, getColor: [...palette.accent, 210], getWidth: 5 * ui, widthUnits: "pixels", billboard: true, jointRounded: true, capRounded: true }),
        new deckModule.ScatterplotLayer({ ...base, id: "section.spots", data: spots, getPosition: (d) => d, getRadius: (d) => (d === this.spot ? 9 : 6) * ui, radiusUnits: "pixels", billboard: true, stroked: true, getFillColor: (d) => (d === this.spot ? [255, 255, 255, 255] : [...palette.accent, 255]), getLineColor: [...palette.casing, 255], getLineWidth: 2 * ui, lineWidthUnits: "pixels" }),
      ];
    }

    close() {
      document.removeEventListener("ct-time", this.again);
    }
  };
})();
