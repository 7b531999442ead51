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
      this.sides = new Array(this.spec.counts.pipes).fill("supply");
      for (const entry of scene.layerSet.entries) {
        if (entry.live) for (const row of entry.row) this.sides[row] = entry.live.side;
      }
    }

    /** Pipes from the twin's answer (null: none yet). */
    colour(network, tables) {
      const { state, layerSet } = this.scene;
      const mode = state.mode;
      this.network = network;
      this.values = kit.readPipeValues(mode, network, this.spec.counts, tables);
      const kept = this.domains.mode === mode ? this.domains : null;
      this.domains = { ...kit.chooseDomains(mode, this.values, this.sides, kept, network && network.massFlow), mode };
      layerSet.colour({
        supply: { values: this.values, domain: this.domains.supply },
        return: { values: this.values, domain: this.domains.return },
      }, this.flow(network, tables));
      this.gaps = !this.values || this.values.some((v) => !Number.isFinite(v));
      this.paintMarkers();
      this.drawLegend();
    }

    flow(network, tables) {
      const fits = network && tables && network.massFlow && network.massFlow.length === this.spec.counts.pipes;
      return fits ? { massFlow: network.massFlow, diameter_m: tables.pipes.diameter_m } : null;
    }

    drawLegend() {
      const { state, chrome, texts } = this.scene;
      const { unit, decimals } = kit.MODES[state.mode];
      const { palette } = this.spec;
      chrome.setLegend({
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
      this.scene.taken = null;
    }

    networkAge() {
      const { time, texts } = this.scene;
      if (time && time.t !== null) return texts[`time_${time.kind}`];
      const t = this.network && this.network.t;
      return Number.isFinite(t) ? kit.formatAge(Date.now() / 1000 - t, texts) : "";
    }

    /** Labels and markers from the live table. */
    readLive() {
      for (const place of this.spec.places) {
        const live = kit.readLive(place, kit.supplyKey(place), this.scene.time);
        const text = live ? `${kit.formatNumber(live.value, 1)} °C` : "--";
        this.scene.labels.setValue(place.id, text, !live || live.stale);
        place.live = live && !live.stale ? live.value : NaN;
      }
      this.paintMarkers();
    }

    /** The GPU is touched only when a colour changed. */
    paintMarkers() {
      const { palette, places } = this.spec;
      const live = places.map((p) => p.live);
      const ofPipes = this.scene.state.mode === "temperature" && this.domains.supply;
      const domain = (this.markerDomain = ofPipes || kit.chooseDomain(live, 4, this.markerDomain));
      let changed = false;
      const out = new Uint8ClampedArray(4);
      for (const place of places) {
        if (domain && Number.isFinite(place.live)) {
          kit.writeRamp(palette.supply, (place.live - domain[0]) / (domain[1] - domain[0]), out, 0);
        } else out.set(palette.none);
        const colour = [out[0], out[1], out[2]];
        if (!place.colour || place.colour.some((c, i) => c !== colour[i])) {
          place.colour = colour;
          changed = true;
        }
      }
      if (!changed) return;
      this.scene.state.markerVersion += 1;
      this.scene.draw();
    }
  };
})();
