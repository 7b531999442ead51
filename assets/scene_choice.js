/* Scene, part 24: choosing by a box or a polygon: what lies in it, summed up, listed, exported. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const LISTED = 60;

  /** Middle and base of every building of the layer: {row, at}. */
  kit.buildingSpots = function (entry) {
    const { data, row } = entry.whole || { data: entry.props.data, row: entry.row };
    const v = data.attributes.getPolygon.value;
    const out = [];
    for (let n = 0; n < data.length; n++) {
      const [s, e] = [data.startIndices[n], data.startIndices[n + 1] - 1];
      let [x, y] = [0, 0];
      for (let i = s; i < e; i++) {
        x += v[3 * i] / (e - s);
        y += v[3 * i + 1] / (e - s);
      }
      out.push({ row: row[n], at: [x, y, v[3 * s + 2]] });
    }
    return out;
  };

  kit.Choice = class Choice {
    constructor(scene) {
      this.scene = scene;
      this.drawing = null;
      this.rows = null;
    }

    get kind() {
      return this.drawing && this.drawing.kind;
    }

    /** Begin to draw, or give up. */
    toggle(kind) {
      const { scene } = this;
      if (this.drawing) {
        const { kind: was, stop } = this.drawing;
        stop();
        if (was === kind) return;
      }
      scene.chrome.setNote(scene.texts[`${kind}_hint`]);
      const stop = kit.drawShape(scene.host, kind, (ring) => {
        this.drawing = null;
        scene.chrome.setNote("");
        if (ring) this.choose(ring);
        scene.setToolState();
      });
      this.drawing = { kind, stop };
    }

    /** What lies in a ring of screen places. */
    find(ring) {
      const { scene } = this;
      const { layerSet, spec, tables } = scene;
      this.spots = this.spots || kit.buildingSpots(layerSet.entryOf("buildings"));
      const within = (at) => kit.isWithin(scene.project(at.slice()), ring);
      const buildings = scene.state.visible.buildings === false ? [] : this.spots.filter((b) => within(b.at)).map((b) => b.row);
      const stations = spec.scene.places.filter((p) => p.kind === "station" && within(p.ground)).map((p) => p.id);
      const at = tables.nodes.at;
      const place = (n) => [at[3 * n], at[3 * n + 1], at[3 * n + 2]];
      const middle = (i) => {
        const [a, b] = [tables.pipes.from[i], tables.pipes.to[i]];
        if (a < 0 || b < 0) return null;
        return place(a).map((v, k) => (v + place(b)[k]) / 2);
      };
      const pipes = tables.pipes.id.map((_, i) => i).filter((i) => middle(i) && within(middle(i)));
      return { buildings, stations, pipes };
    }

    /** `Pointer` and tests may choose without drawing. */
    choose(ring) {
      this.rows = this.find(ring);
      this.show();
      this.scene.draw();
    }

    /** Sums of what was chosen, in display units. */
    sums() {
      const { tables, shades, spec } = this.scene;
      const { buildings, stations, pipes } = this.rows;
      const t = tables.buildings;
      const heated = buildings.filter((r) => t.heated[r]);
      const sum = (rows, of) => rows.reduce((n, r) => n + (of[r] || 0), 0);
      const rooms = (shades && shades.rooms) || null;
      const known = rooms ? heated.filter((r) => Number.isFinite(rooms[r])) : [];
      const worst = known.length ? known.reduce((a, b) => (rooms[b] < rooms[a] ? b : a)) : null;
      const places = spec.scene.places.filter((p) => stations.includes(p.id));
      const heat = places.map((p) => kit.readLive(p, "p1_heat", this.scene.time)).filter(Boolean);
      return {
        heated, homes: sum(buildings, t.homes), area: sum(heated, t.area_m2), load_kw: sum(heated, t.load_w) / 1000,
        length_m: sum(pipes, tables.pipes.length_m), worst, worst_c: worst === null ? NaN : rooms[worst],
        measured: worst !== null && Boolean(shades.measured[worst]),
        heat_mw: heat.length ? heat.reduce((n, h) => n + h.value, 0) / 1e6 : NaN,
      };
    }

    show() {
      const { scene } = this;
      const { texts } = scene;
      const { buildings, stations, pipes } = this.rows;
      const s = this.sums();
      const n = kit.formatNumber;
      const facts = [
        [texts.choice_buildings, n(buildings.length, 0)],
        [texts.choice_heated, n(s.heated.length, 0)],
        [texts.choice_homes, n(s.homes, 0)],
        [texts.choice_area, `${n(s.area, 0)} m²`],
        [texts.choice_load, `${n(s.load_kw, 0)} kW`],
        [texts.choice_worst, Number.isFinite(s.worst_c) ? `${n(s.worst_c, 1)} °C · ${s.measured ? texts.measured : texts.estimated}` : "--"],
        [texts.choice_stations, n(stations.length, 0)],
        ...(stations.length ? [[texts.choice_station_heat, Number.isFinite(s.heat_mw) ? `${n(s.heat_mw, 2)} MW` : "--"]] : []),
        [texts.choice_pipes, n(pipes.length, 0)],
        [texts.choice_length, `${n(s.length_m, 0)} m`],
      ];
      const list = kit.element("dl", "ct-scene-facts", {}, ...facts.flatMap(([k, v]) => [kit.element("dt", "", {}, k), kit.element("dd", "", {}, v)]));
      const empty = !buildings.length && !stations.length && !pipes.length;
      const body = kit.element("div", "ct-scene-panel-body", {}, ...(empty ? [kit.element("p", "", {}, texts.choice_none)] : [list, this.exports(), this.list(s)]));
      scene.panel.open(texts.choice, body, () => {
        this.rows = null;
        scene.draw();
      });
    }

    exports() {
      const { texts } = this.scene;
      const button = (kind) => {
        const b = kit.element("button", "ct-scene-tool", { type: "button", name: kind }, texts[`export_${kind}`]);
        b.addEventListener("click", () => this.save(kind));
        return b;
      };
      return kit.element("div", "ct-scene-tools", {}, button("xlsx"), button("csv"));
    }

    /** Stations first, then buildings, the coldest first; a click flies there. */
    list({ heated }) {
      const { scene } = this;
      const { texts, tables, shades } = scene;
      const rooms = (shades && shades.rooms) || [];
      const cold = (r) => (Number.isFinite(rooms[r]) ? rooms[r] : 1e3);
      const order = [...this.rows.buildings].sort((a, b) => cold(a) - cold(b) || heated.includes(b) - heated.includes(a));
      const row = (text, after, go) => {
        const b = kit.element("button", "ct-scene-search-row", { type: "button" }, kit.element("span", "", {}, text), kit.element("span", "ct-scene-row-after", {}, after));
        b.addEventListener("click", go);
        return b;
      };
      const places = scene.spec.scene.places.filter((p) => this.rows.stations.includes(p.id));
      const rows = [
        ...places.map((p) => row(p.label, texts.station, () => (scene.setSelection(p.id), scene.choose(p)))),
        ...order.map((r) => row(tables.buildings.name[r] || tables.buildings.id[r], Number.isFinite(rooms[r]) ? `${kit.formatNumber(rooms[r], 1)} °C` : texts[`use.${tables.buildings.use[r]}`] || "", () => this.fly(r))),
      ];
      const more = rows.length - LISTED;
      const last = more > 0 ? [kit.element("p", "ct-scene-more", {}, texts.choice_more.replace("{n}", more))] : [];
      return kit.element("div", "ct-scene-rows", {}, ...rows.slice(0, LISTED), ...last);
    }

    fly(row) {
      const spot = this.spots.find((b) => b.row === row);
      this.scene.highlightRow(row);
      this.scene.flyTo(spot.at);
    }

    async save(kind) {
      const { scene } = this;
      const body = { ...this.rows, lang: scene.lang, t: scene.time && scene.time.t };
      const response = await fetch(`/scene/choice.${kind}`, { method: "POST", credentials: "same-origin", body: JSON.stringify(body) }).catch(() => null);
      if (!response || !response.ok) return void scene.chrome.setNote(scene.texts.export_failed);
      const link = kit.element("a", "", { href: URL.createObjectURL(await response.blob()), download: `${scene.texts.choice}.${kind}` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }

    /** Outlines of what was chosen. */
    build(deckModule) {
      if (!this.rows) return [];
      const { layerSet, spec } = this.scene;
      const { accent } = spec.scene.palette;
      const rings = kit.outlines(layerSet.entryOf("buildings"), new Set(this.rows.buildings));
      return [new deckModule.PathLayer({
        id: "choice.rings", data: rings, coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS, coordinateOrigin: spec.scene.origin,
        getPath: (d) => d, getColor: [...accent, 255], getWidth: 1.6 * kit.uiScale(), widthUnits: "pixels", billboard: true, parameters: { depthCompare: "always" },
      })];
    }
  };

  /** Rings on the roofs of buildings by their rows. */
  kit.outlines = function (entry, rows) {
    const { data, row } = entry.whole || { data: entry.props.data, row: entry.row };
    const [v, h] = [data.attributes.getPolygon.value, data.attributes.getElevation.value];
    const out = [];
    for (let n = 0; n < data.length; n++) {
      if (!rows.has(row[n])) continue;
      const ring = [];
      for (let i = data.startIndices[n]; i < data.startIndices[n + 1]; i++) ring.push([v[3 * i], v[3 * i + 1], v[3 * i + 2] + h[i] + 0.5]);
      out.push(ring);
    }
    return out;
  };
})();
