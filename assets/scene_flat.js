/* Scene, part 7: the plain map for a browser without WebGL. Canvas 2D, drawn when something changes. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

  kit.FlatMap = class FlatMap {
    constructor(host, spec, packs) {
      this.host = host;
      this.spec = spec;
      this.packs = packs;
      this.canvas = kit.element("canvas", "ct-scene-flat", { "aria-hidden": "true" });
      host.prepend(this.canvas);
    }

    /** Turn local metres into canvas pixels: the hull fills the box, north is up. */
    project(point) {
      const { scale, x, y } = this.fit();
      return [x + point[0] * scale, y - point[1] * scale];
    }

    fit() {
      const { clientWidth: w, clientHeight: h } = this.host;
      const hull = this.spec.scene.focus.hull;
      const xs = hull.map((p) => p[0]);
      const ys = hull.map((p) => p[1]);
      const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
      const scale = Math.min((w * 0.86) / Math.max(x1 - x0, 1), (h * 0.72) / Math.max(y1 - y0, 1));
      return { scale, x: w / 2 - ((x0 + x1) / 2) * scale, y: h / 2 + ((y0 + y1) / 2) * scale };
    }

    draw(layerSet, visible) {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      const { clientWidth: w, clientHeight: h } = this.host;
      this.canvas.width = Math.round(w * ratio);
      this.canvas.height = Math.round(h * ratio);
      const pen = this.canvas.getContext("2d");
      if (!pen) return;
      pen.scale(ratio, ratio);
      const { scale, x, y } = this.fit();
      pen.lineJoin = pen.lineCap = "round";
      for (const entry of layerSet.entries) {
        const id = entry.props.id;
        if (visible[entry.role] === false || !entry.props.data.attributes || id.endsWith(".hidden") || id === "shadows" || !entry.props.data.startIndices) continue;
        const { startIndices: starts, length, attributes } = entry.props.data;
        const vertices = (attributes.getPath || attributes.getPolygon).value;
        const colours = entry.colours || (attributes.getFillColor || attributes.getColor || {}).value;
        const side = id === "pipes.supply" ? -1.6 : id === "pipes.return" ? 1.6 : 0;
        for (let i = 0; i < length; i++) {
          pen.beginPath();
          for (let v = starts[i]; v < starts[i + 1]; v++) {
            pen.lineTo(x + vertices[3 * v] * scale + side, y - vertices[3 * v + 1] * scale + side);
          }
          const c = 4 * starts[i];
          const colour = colours ? colours.subarray(c, c + 3) : (entry.props.getColor || [90, 110, 135]).slice(0, 3);
          if (attributes.getPolygon) {
            pen.fillStyle = `rgb(${colour.join(",")})`;
            pen.fill();
          } else {
            pen.strokeStyle = `rgb(${colour.join(",")})`;
            pen.lineWidth = entry.live ? 2.2 : Math.max(0.6, attributes.getWidth.value[starts[i]] * scale);
            pen.stroke();
          }
        }
      }
      this.drawMarkers(pen, visible);
    }

    drawMarkers(pen, visible) {
      for (const place of this.spec.scene.places) {
        if (visible[place.kind === "source" ? "sources" : "stations"] === false) continue;
        const [px, py] = this.project(place.top);
        pen.beginPath();
        pen.arc(px, py, place.kind === "source" ? 7 : 5, 0, 7);
        pen.fillStyle = `rgb(${place.colour || this.spec.scene.palette.none})`;
        pen.fill();
        pen.strokeStyle = `rgb(${this.spec.scene.palette.marker})`;
        pen.lineWidth = 1.5;
        pen.stroke();
      }
    }

    remove() {
      this.canvas.remove();
    }
  };
})();
