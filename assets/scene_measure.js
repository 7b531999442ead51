/* Scene, part 17: measuring on the true surface: distance along the points, height between first and last, area. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

  /** Numbers of a line of places (x, y, z in metres): plan and slope length, rise, area of the closed outline in plan. */
  kit.measure = function (points) {
    let [plan, slope, twice] = [0, 0, 0];
    points.forEach((p, i) => {
      const q = points[(i + 1) % points.length];
      twice += p[0] * q[1] - q[0] * p[1];
      if (i === points.length - 1) return;
      const flat = Math.hypot(q[0] - p[0], q[1] - p[1]);
      plan += flat;
      slope += Math.hypot(flat, q[2] - p[2]);
    });
    const rise = points.length ? points[points.length - 1][2] - points[0][2] : 0;
    return { plan, slope, rise, area: points.length > 2 ? Math.abs(twice) / 2 : 0 };
  };

  kit.Measure = class Measure {
    constructor(scene) {
      this.scene = scene;
      this.points = [];
      this.on = false;
    }

    toggle(on = !this.on) {
      this.on = on;
      this.points = [];
      this.show();
    }

    /** A click while measuring; `place`: x, y, z in local metres. A double click on the same spot ends nothing. */
    add(place) {
      const last = this.points[this.points.length - 1];
      if (last && Math.hypot(...place.map((v, i) => v - last[i])) < 0.05) return;
      this.points = [...this.points, place];
      this.show();
    }

    show() {
      const { chrome, texts, host } = this.scene;
      host.classList.toggle("is-measuring", this.on);
      const m = kit.measure(this.points);
      const metres = (v) => `${kit.formatNumber(v, Math.abs(v) < 100 ? 1 : 0)} m`;
      if (!this.on) chrome.setNote("");
      else if (this.points.length < 2) chrome.setNote(texts.measure_hint);
      else {
        const parts = [`${texts.distance} ${metres(m.slope)}`, `${texts.plan} ${metres(m.plan)}`, `${texts.rise} ${metres(m.rise)}`];
        if (m.area) parts.push(`${texts.area} ${kit.formatNumber(m.area, 0)} m²`);
        chrome.setNote(parts.join("　"));
      }
      this.scene.draw();
    }

    /** Layers of deck for the line and its points. */
    build(deckModule) {
      if (!this.on || !this.points.length) return [];
      const base = {
        coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS,
        coordinateOrigin: this.scene.spec.scene.origin,
        parameters: { depthCompare: "always" },
      };
      const ink = [...this.scene.spec.scene.palette.accent, 255];
      const path = this.points.length > 2 ? [...this.points, this.points[0]] : this.points;
      return [
        new deckModule.PathLayer({ ...base, id: "measure.line", data: [path], getPath: (d) => d, getColor: ink, getWidth: 2.5 * kit.uiScale(), widthUnits: "pixels", billboard: true }),
        new deckModule.ScatterplotLayer({ ...base, id: "measure.points", data: this.points, getPosition: (d) => d, getFillColor: [255, 255, 255, 255], getLineColor: ink, stroked: true, getRadius: 4 * kit.uiScale(), radiusUnits: "pixels", lineWidthUnits: "pixels", getLineWidth: 2, billboard: true }),
      ];
    }
  };
})();
