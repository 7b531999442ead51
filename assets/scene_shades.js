/* Scene, part 25: what colours the buildings: use, year, design heat index, room temperature, or what another page
   sends (`ct-buildings`); and the heat map of rooms. Also laid over the photography. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const MODES = ["plain", "use", "age", "index", "room"];
  const ROOM_C = [14, 26]; // the middle of the ramp is 20
  const AGE = [1980, 2024];
  const INDEX = [35, 70];
  const AGAIN_MS = 60000;
  const CELL_M = 18;
  const REACH_M = 110;
  const SIGMA_M = 42;
  const LIFT_M = 1.2;
  const NEAR_ZOOM = 15.6; // farther off the map lies over houses and pipes, or it would not be seen between them

  kit.Shades = class Shades {
    constructor(scene) {
      this.scene = scene;
      this.mode = "plain";
      this.heat = false;
      this.rooms = this.measured = null;
      this.custom = null;
      this.table = scene.tables.buildings;
      document.addEventListener("ct-buildings", (this.take = (e) => this.setCustom(e.detail)));
      if (!scene.spec.scene.moments) return;
      this.refresh();
      this.clock = setInterval(() => this.refresh(), AGAIN_MS);
    }

    /** Rooms as they are now; while another time is shown they wait. */
    async refresh() {
      try {
        this.now = await kit.loadMoment(null);
      } catch (error) {
        console.warn("scene:", error.message);
        return;
      }
      if (!this.closed && !(this.scene.time && this.scene.time.shown)) this.setRooms(null);
    }

    /** Rooms of a shown moment; null: those of now. */
    setRooms(moment) {
      const from = moment || this.now;
      this.rooms = from && from.rooms;
      this.measured = from && from.measured;
      this.roomsAt = from && from.t;
      this.picture = null;
      if (this.shade.source === "rooms") this.paint();
      else if (this.heat) this.scene.draw();
      this.drawLegend();
    }

    setCustom(detail) {
      this.custom = detail && detail.values ? detail : null;
      this.paint();
      this.drawLegend();
    }

    setMode(mode) {
      this.mode = mode;
      this.paint();
      this.drawLegend();
    }

    setHeat(on) {
      this.heat = on;
      this.scene.draw();
      this.drawLegend();
    }

    /** Whether the buildings carry a colour that must be seen on the photography too. */
    get on() {
      return Boolean(this.custom) || this.mode !== "plain";
    }

    /** The colour scale in force: {value(row), ramp, domain, unit, title} or {colour(row), classes, title} or {}. */
    get shade() {
      const { palette } = this.scene.spec.scene;
      const { texts } = this.scene;
      const t = this.table;
      if (this.custom) {
        const { values, low, high, unit, title } = this.custom;
        return { value: (r) => values[r], ramp: palette.rooms, domain: [low, high], unit: unit || "", title: title || "", decimals: high - low < 5 ? 1 : 0 };
      }
      const heated = (r, v) => (t.heated[r] ? v : NaN);
      return {
        plain: {},
        use: { colour: (r) => palette.uses[t.use[r]] || palette.uses.other, classes: true, title: texts.shade_use },
        age: { value: (r) => t.year[r], ramp: palette.ages, domain: AGE, unit: "", title: texts.shade_age, decimals: 0, plain: true },
        index: { value: (r) => heated(r, t.heat_index[r] || NaN), ramp: palette.supply, domain: INDEX, unit: "W/m²", title: texts.shade_index, decimals: 0 },
        room: { value: (r) => (this.rooms ? this.rooms[r] : NaN), ramp: palette.rooms, domain: ROOM_C, unit: "°C", title: texts.room, decimals: 0, source: "rooms" },
      }[this.mode];
    }

    /** Write the colours anew: one attribute, the geometry stays. */
    paint() {
      const entry = this.scene.layerSet.entryOf("buildings");
      const whole = entry.whole || { data: entry.props.data, row: entry.row, mesh: entry.props.mesh };
      entry.whole = whole;
      const was = whole.data.attributes.getFillColor.value;
      this.plain = this.plain || was;
      const { value, colour, ramp, domain } = this.shade;
      const none = this.scene.spec.scene.palette.none;
      const out = Uint8Array.from(this.plain);
      const one = new Uint8ClampedArray(4);
      for (let n = 0; n < whole.data.length; n++) {
        if (value) {
          const v = value(whole.row[n]);
          if (Number.isFinite(v)) kit.writeRamp(ramp, (v - domain[0]) / (domain[1] - domain[0]), one, 0);
          else one.set(none);
        } else if (colour) one.set(colour(whole.row[n]));
        else break;
        for (let i = whole.data.startIndices[n]; i < whole.data.startIndices[n + 1]; i++) out.set(one.subarray(0, 3), 4 * i);
      }
      whole.data = { ...whole.data, attributes: { ...whole.data.attributes, getFillColor: { value: out, size: 4, normalized: true } } };
      this.scene.cut();
      this.scene.draw();
      this.scene.redrawSoon();
    }

    drawLegend() {
      const { chrome, texts } = this.scene;
      if (!chrome.legend) return;
      const { value, classes, ramp, domain, unit, title, decimals, plain, source } = this.heat && !this.on
        ? { value: true, ramp: this.scene.spec.scene.palette.rooms, domain: ROOM_C, unit: "°C", title: texts.room, decimals: 0, source: "rooms" } : this.shade;
      const rows = [];
      const n = (v) => (plain ? String(v) : kit.formatNumber(v, decimals));
      if (value) {
        const bar = kit.element("span", "ct-scene-legend-bar");
        bar.style.background = kit.cssRamp(ramp);
        rows.push(kit.element("div", "ct-scene-legend-row", {}, kit.element("span", "ct-scene-legend-number", {}, n(domain[0])), bar,
          kit.element("span", "ct-scene-legend-number", {}, n(domain[1])), kit.element("span", "ct-scene-legend-unit", {}, unit)));
      }
      if (classes) rows.push(this.listUses());
      if (rows.length) {
        const head = kit.element("p", "ct-scene-legend-title", {}, title, kit.element("span", "ct-scene-legend-age", {}, source ? this.roomsAge() : ""));
        rows.unshift(head);
      }
      chrome.setShade(rows);
      this.scene.taken = null;
      this.scene.redrawSoon();
    }

    /** Where the rooms come from and how old they are. */
    roomsAge() {
      const { texts, time } = this.scene;
      if (!this.rooms || !this.rooms.some(Number.isFinite)) return texts.room_none;
      const count = this.measured.reduce((s, v) => s + v, 0);
      const age = time && time.t !== null ? texts[`time_${time.kind}`] : kit.formatAge((CT.now ? CT.now() : Date.now() / 1000) - this.roomsAt, texts);
      return count ? `${texts.measured} ${kit.formatNumber(count, 0)} · ${texts.estimated} ${kit.formatNumber(this.rooms.reduce((s, v) => s + Number.isFinite(v), 0) - count, 0)} · ${age}` : `${texts.simulated} · ${age}`;
    }

    listUses() {
      const { texts } = this.scene;
      const { uses } = this.scene.spec.scene.palette;
      const count = {};
      for (const use of this.table.use) count[use] = (count[use] || 0) + 1;
      const shown = Object.keys(count).filter((u) => uses[u]).sort((a, b) => count[b] - count[a]).slice(0, 10);
      return kit.element("div", "ct-scene-legend-uses", {}, ...shown.map((use) => {
        const swatch = kit.element("i");
        swatch.style.background = `rgb(${uses[use]})`;
        return kit.element("span", "", {}, swatch, texts[`use.${use}`] || use);
      }));
    }

    /** The heat map: a picture over the near ground, coloured by the rooms around, clear where nobody is heated. */
    build(deckModule) {
      if (!this.heat || !this.rooms) return [];
      const ground = this.scene.layerSet.entryOf("ground.near") || this.scene.layerSet.entryOf("ground");
      const mesh = (ground.whole && ground.whole.mesh) || ground.props.mesh;
      this.picture = this.picture || this.paintHeat(mesh.attributes.positions.value);
      return [new deckModule.SimpleMeshLayer({
        id: "rooms.heat", data: [{ position: [0, 0, LIFT_M] }], mesh, texture: this.picture, opacity: 0.72, material: { unlit: true }, pickable: false,
        coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS, coordinateOrigin: this.scene.spec.scene.origin,
        textureParameters: { minFilter: "linear", magFilter: "linear", addressModeU: "clamp-to-edge", addressModeV: "clamp-to-edge" },
        parameters: { depthWriteEnabled: false, depthCompare: this.scene.view.zoom < NEAR_ZOOM ? "always" : "less-equal" }, getPolygonOffset: () => [0, -60],
      })];
    }

    paintHeat(positions) {
      let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = 0; i < positions.length; i += 3) {
        [x0, x1, y0, y1] = [Math.min(x0, positions[i]), Math.max(x1, positions[i]), Math.min(y0, positions[i + 1]), Math.max(y1, positions[i + 1])];
      }
      const [w, h] = [x1 - x0, y1 - y0].map((m) => Math.min(Math.max(Math.ceil(m / CELL_M), 8), 1024));
      const [sum, weight] = [new Float32Array(w * h), new Float32Array(w * h)];
      const [cx, cy] = [w / (x1 - x0), h / (y1 - y0)];
      this.scene.choice.spots = this.scene.choice.spots || kit.buildingSpots(this.scene.layerSet.entryOf("buildings"));
      for (const { row, at } of this.scene.choice.spots) {
        const room = this.rooms[row];
        if (!Number.isFinite(room)) continue;
        const [u, v] = [(at[0] - x0) * cx, (y1 - at[1]) * cy];
        for (let j = Math.max(Math.floor(v - REACH_M * cy), 0); j <= Math.min(v + REACH_M * cy, h - 1); j++) {
          for (let i = Math.max(Math.floor(u - REACH_M * cx), 0); i <= Math.min(u + REACH_M * cx, w - 1); i++) {
            const d2 = ((i + 0.5 - u) / cx) ** 2 + ((j + 0.5 - v) / cy) ** 2;
            const k = Math.exp(-d2 / (2 * SIGMA_M * SIGMA_M));
            sum[j * w + i] += k * room;
            weight[j * w + i] += k;
          }
        }
      }
      const picture = new ImageData(w, h);
      const { rooms } = this.scene.spec.scene.palette;
      for (let i = 0; i < w * h; i++) {
        if (weight[i] < 0.04) continue;
        kit.writeRamp(rooms, (sum[i] / weight[i] - ROOM_C[0]) / (ROOM_C[1] - ROOM_C[0]), picture.data, 4 * i);
        picture.data[4 * i + 3] = 235 * Math.min((weight[i] - 0.04) / 0.5, 1);
      }
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [w, h];
      canvas.getContext("2d").putImageData(picture, 0, 0);
      return canvas;
    }

    addMenu() {
      const { chrome, texts, spec } = this.scene;
      const box = kit.element("div", "ct-scene-menu-shades", {}, kit.element("p", "ct-scene-menu-title", {}, texts.colour_buildings));
      const row = kit.element("div", "ct-scene-menu-row");
      for (const mode of MODES) {
        if (mode === "room" && !spec.scene.moments) continue;
        const radio = kit.element("input", "", { type: "radio", name: "ct-scene-shade", value: mode });
        radio.checked = this.mode === mode;
        radio.addEventListener("change", () => this.setMode(mode));
        row.append(kit.element("label", "", {}, radio, texts[`shade_${mode}`]));
      }
      box.append(row);
      if (spec.scene.moments) {
        const heat = kit.element("input", "", { type: "checkbox", name: "heat" });
        heat.checked = this.heat;
        heat.addEventListener("change", () => this.setHeat(heat.checked));
        box.append(kit.element("label", "", {}, heat, texts.heat_map));
      }
      chrome.menu.append(box);
    }

    close() {
      this.closed = true;
      clearInterval(this.clock);
      document.removeEventListener("ct-buildings", this.take);
    }
  };
})();
