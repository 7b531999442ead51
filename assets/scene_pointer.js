/* Scene, part 9: the pointer. What lies under it, the hover card, and clicks that choose a station. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const CLICK_REACH_PX = 6;
  const CLICK_MS = 1500; // from down to up; a slow picture (software GL) is picked in between
  const REST_MS = 140;

  kit.Pointer = class Pointer {
    constructor(scene) {
      this.scene = scene;
      this.stations = scene.spec.scene.places.filter((p) => p.kind === "station");
    }

    /**
     * Own click: deck.gl's counts the time from down to up with its own picking in between, and a slow
     * picture (software GL) then swallows clicks. The events' own time stamps are right.
     */
    listen(canvas) {
      let down = null;
      canvas.addEventListener("pointerdown", (e) => {
        down = e.isPrimary && e.button === 0 ? { x: e.clientX, y: e.clientY, t: e.timeStamp } : null;
      });
      canvas.addEventListener("pointerup", (e) => {
        const near = down && Math.hypot(e.clientX - down.x, e.clientY - down.y) < CLICK_REACH_PX;
        if (near && e.timeStamp - down.t < CLICK_MS) {
          const box = canvas.getBoundingClientRect();
          this.click(e.clientX - box.left, e.clientY - box.top);
        }
        down = null;
      });
    }

    hover(info) {
      const { chrome, host } = this.scene;
      if (!chrome) return;
      clearTimeout(this.resting);
      const onPhoto = info.layer && info.layer.id.startsWith("tiles.");
      if (onPhoto) this.resting = setTimeout(() => this.rest(info), REST_MS);
      else this.scene.highlight("hovered", null);
      const described = info.layer && !onPhoto && this.describe(info);
      if (!described) chrome.hideCard();
      else chrome.showCard(info.x, info.y, described.title, described.rows, host.clientWidth, host.clientHeight);
    }

    /** The pointer rests on the photograph: which building is it? */
    rest(info) {
      const { chrome, host, tables, texts } = this.scene;
      const found = chrome && tables && this.pick(info.x, info.y);
      const row = found && found.kind === "building" ? found.row : null;
      this.scene.highlight("hovered", row);
      if (row === null) return;
      const described = kit.describeBuilding(row, tables.buildings, this.stations, texts, this.scene.shades, this.scene.addresses);
      chrome.showCard(info.x, info.y, described.title, described.rows, host.clientWidth, host.clientHeight);
    }

    describe(info) {
      const { layerSet, painter, state, tables, texts } = this.scene;
      const id = info.layer.id;
      if (id === "markers") return info.object ? kit.describePlace(info.object, texts, painter.moment) : null; // undefined: its data were replaced meanwhile
      if (info.index < 0 || !tables) return null;
      if (id.startsWith("spots.")) return this.describeSpot(id.slice(6), info.index);
      if (id !== "buildings" && !id.startsWith("pipes.")) return null;
      const row = layerSet.rowOf(id, info.index);
      if (id === "buildings") return kit.describeBuilding(row, tables.buildings, this.stations, texts, this.scene.shades, this.scene.addresses);
      return kit.describePipe(row, tables.pipes, state.mode, painter.values, painter.networkAge(), texts);
    }

    /** A node, a valve or a room sensor. */
    describeSpot(name, index) {
      const { tables, texts } = this.scene;
      if (name === "sensors") return kit.describeBuilding(tables.sensors.row[index], tables.buildings, this.stations, texts, this.scene.shades, this.scene.addresses);
      return { title: `${name === "nodes" ? texts.node : texts.valve} ${tables[name].id[index]}`, rows: name === "valves" ? [[texts.pipe, tables.valves.pipe[index]]] : [] };
    }

    /** What lies at a pixel: {layer, kind, id, row, coordinate} or null. */
    pick(x, y) {
      const { deck, layerSet, tables } = this.scene;
      const info = deck && deck.pickObject({ x, y, radius: CLICK_REACH_PX, unproject3D: true });
      if (!info || (info.layer.id === "markers" && !info.object)) return null;
      const layer = info.layer.id;
      const found = { layer, coordinate: info.coordinate };
      if (layer === "markers") return { ...found, kind: info.object.kind, id: info.object.id };
      if (layer.startsWith("tiles.")) return { ...found, ...this.identify(info.coordinate) };
      if (layer.startsWith("spots.")) return { ...found, kind: layer.slice(6, -1), row: info.index, id: (tables[layer.slice(6)].id || [])[info.index] };
      if (layer !== "buildings" && !layer.startsWith("pipes.")) return { ...found, kind: "ground" };
      const row = layerSet.rowOf(layer, info.index);
      const kind = layer === "buildings" ? "building" : "pipe";
      return { ...found, kind, row, id: tables ? tables[`${kind}s`].id[row] : null };
    }

    /** Local metres of a place in degrees and metres above the sea. */
    toLocal([lon, lat, z]) {
      this.frame = this.frame || new kit.SceneFrame(this.scene.spec.scene.origin);
      return this.frame.toLocal((lon * Math.PI) / 180, (lat * Math.PI) / 180, z || 0);
    }

    /** What stands at a place on the true surface: a building by its footprint, else the ground. */
    identify(coordinate) {
      const { layerSet, tables, photo } = this.scene;
      if (!coordinate || !photo) return { kind: "ground" };
      this.footprints = this.footprints || new kit.Footprints(layerSet.entryOf("buildings"));
      const [x, y, h] = this.toLocal(coordinate);
      const row = this.footprints.find(x, y, h);
      if (row === null) return { kind: "ground", place: [x, y, h] };
      return { kind: "building", row, id: tables ? tables.buildings.id[row] : null, place: [x, y, h] };
    }

    /** A building chooses its station; a pipe chooses nothing. */
    click(x, y) {
      const found = this.pick(x, y);
      if (this.scene.measure && this.scene.measure.on) {
        if (found && found.coordinate) this.scene.measure.add(this.toLocal(found.coordinate));
        return;
      }
      if (this.scene.section && this.scene.section.on) return void this.scene.section.click(found);
      if (found && found.kind === "pipe") {
        document.dispatchEvent(new CustomEvent("ct-pick", { detail: { kind: "pipe", id: found.id, scene: this.scene.host.id } }));
      }
      this.scene.highlight("building", found && found.kind === "building" ? found.row : null);
      if (!found) return;
      const { spec, tables } = this.scene;
      const place =
        found.kind === "building"
          ? tables && this.stations[tables.buildings.station[found.row]]
          : spec.scene.places.find((p) => p.id === found.id);
      if (place) this.scene.choose(place);
    }
  };
})();
