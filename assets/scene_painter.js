/* Scene, part 8: keeps pipes, markers, labels and legend in step with the twin's answer and the live values. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

  kit.Painter = class Painter {
    /** `scene`: what is painted; the painter asks it for a new frame and for nothing else. */
    constructor(scene) {
      this.scene = scene;
      this.spec = scene.spec.scene;
      this.network = null;
      this.values = null;
      this.domains = {};
      const { tints } = scene.layerSet;
      this.rows = Object.fromEntries(Object.entries(tints).map(([side, t]) => [side, t.row]));
      this.scratch = new Float32Array(this.spec.counts.pipes);
      this.room = new Float64Array(this.spec.counts.pipes);
      this.flows = null;
    }

    /** Pipes from the twin's answer (null: none yet). */
    colour(network, tables) {
      const { state, layerSet } = this.scene;
      const mode = state.mode;
      const values = kit.readPipeValues(mode, network, this.spec.counts, tables, this.scratch);
      const told = [network, this.network].some((n) => n && n.rehearsal);
      this.network = network;
      this.values = values;
      if (told) this.readLive(); // labels and markers show the rehearsed hour, and the present again after it
      const kept = this.domains.mode === mode ? this.domains : null;
      this.domains = { ...kit.chooseDomains(mode, values, this.rows, this.room, kept, network && network.massFlow), mode };
      const side = (name) => ({ values, domain: this.domains[name] });
      layerSet.colour({ supply: side("supply"), return: side("return") }, this.flow(network, tables));
      this.gaps = !values || values.some((v) => v - v !== 0);
      this.paintMarkers();
      this.drawLegend();
    }

    flow(network, tables) {
      if (!network || !tables || !network.massFlow || network.massFlow.length !== this.spec.counts.pipes) return null;
      this.flows = this.flows || new kit.Flows(tables.pipes.diameter_m);
      return this.flows.read(network.massFlow);
    }

    drawLegend() {
      const { state, chrome, texts } = this.scene;
      const { unit, decimals } = kit.MODES[state.mode];
      const { palette } = this.spec;
      const moved = chrome.setLegend({
        title: texts[state.mode],
        unit,
        rows: ["supply", "return"].map((side) => ({
          label: texts[side], ramp: palette[side], domain: this.values && this.domains[side], decimals,
        })),
        age: this.networkAge(),
        gaps: this.gaps,
        none: palette.none,
        empty: !this.values,
      });
      if (moved) this.scene.taken = null;
    }

    networkAge() {
      const { texts } = this.scene;
      const time = this.moment;
      if (time && time.t !== null) return texts[`time_${time.kind}`];
      const t = this.network && this.network.t;
      return Number.isFinite(t) ? kit.formatAge(Date.now() / 1000 - t, texts) : "";
    }

    /** What labels and cards speak of: a rehearsed hour, else what the time line shows. */
    get moment() {
      const { network } = this;
      return network && network.rehearsal ? kit.rehearsedMoment(network) : this.scene.time;
    }

    /** Labels and markers from the live table, or from the moment that is shown. */
    readLive() {
      const { moment } = this;
      for (const place of this.spec.places) {
        const live = kit.readLive(place, kit.supplyKey(place), moment);
        const text = live ? `${kit.formatNumber(live.value, 1)} °C` : "--";
        this.scene.labels.setValue(place.id, text, !live || live.stale);
        place.live = live && !live.stale ? live.value : NaN;
      }
      this.paintMarkers();
    }

    /** The GPU is touched only when a colour changed. */
    paintMarkers() {
      const { palette, places } = this.spec;
      const ofPipes = this.scene.state.mode === "temperature" && this.domains.supply;
      const domain = (this.markerDomain = ofPipes || kit.chooseDomain(places.map((p) => p.live), 4, this.markerDomain));
      let changed = false;
      const out = new Uint8ClampedArray(4);
      for (const place of places) {
        if (domain && Number.isFinite(place.live)) {
          kit.writeRamp(palette.supply, (place.live - domain[0]) / (domain[1] - domain[0]), out, 0);
        } else out.set(palette.none);
        const { colour } = place;
        if (colour && colour[0] === out[0] && colour[1] === out[1] && colour[2] === out[2]) continue;
        place.colour = [out[0], out[1], out[2]];
        changed = true;
      }
      if (!changed) return;
      this.scene.state.markerVersion += 1;
      this.scene.drawMarkers();
    }
  };
})();
