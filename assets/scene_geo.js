/* Scene, part 11: where tiles lie. From the earth-centred frame of 3D Tiles to the scene's local metres, the exact
   inverse of the renderer's own projection (app/scene/frame.py holds the same formulas). */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const A = 6378137;
  const E2 = 6.69437999014e-3;
  const B = A * Math.sqrt(1 - E2);
  const EARTH_M = 40.03e6; // the renderer's earth
  const WORLD = 512;
  const RAD = Math.PI / 180;
  const FLAT_M = 600; // smaller tiles are placed by a straight map: its error stays under 3 cm

  /** Columns of a 4 x 4 matrix product, as 16 numbers column by column. */
  kit.multiply = function (a, b) {
    const out = new Float64Array(16);
    for (let c = 0; c < 4; c++) {
      for (let r = 0; r < 4; r++) {
        let sum = 0;
        for (let k = 0; k < 4; k++) sum += a[4 * k + r] * b[4 * c + k];
        out[4 * c + r] = sum;
      }
    }
    return out;
  };

  const apply = (m, x, y, z) => [
    m[0] * x + m[4] * y + m[8] * z + m[12], m[1] * x + m[5] * y + m[9] * z + m[13], m[2] * x + m[6] * y + m[10] * z + m[14],
  ];

  /** Longitude, latitude (radians) and height (m) of earth-centred metres. */
  function toGeodetic(x, y, z) {
    const p = Math.hypot(x, y);
    let beta = Math.atan2(z * A, p * B);
    let phi = 0;
    for (let i = 0; i < 2; i++) {
      phi = Math.atan2(z + ((E2 * A * A) / B) * Math.sin(beta) ** 3, p - E2 * A * Math.cos(beta) ** 3);
      beta = Math.atan2(B * Math.sin(phi), A * Math.cos(phi));
    }
    const n = A / Math.sqrt(1 - E2 * Math.sin(phi) ** 2);
    return [Math.atan2(y, x), phi, p * Math.cos(phi) + z * Math.sin(phi) - (A * A) / n];
  }

  function fromGeodetic(lon, lat, h) {
    const n = A / Math.sqrt(1 - E2 * Math.sin(lat) ** 2);
    const r = (n + h) * Math.cos(lat);
    return [r * Math.cos(lon), r * Math.sin(lon), (n * (1 - E2) + h) * Math.sin(lat)];
  }

  /** The scene's frame: `origin` [longitude, latitude, datum in metres above the sea]. */
  kit.SceneFrame = class SceneFrame {
    constructor(origin) {
      this.origin = origin;
      const [lon0, lat0] = [origin[0] * RAD, origin[1] * RAD];
      const cos = Math.cos(lat0);
      this.perMetre = WORLD / EARTH_M / cos;
      const perDegree = WORLD / 360 / cos;
      const perDegree2 = (WORLD / EARTH_M) * ((Math.tan(lat0) / cos) * RAD);
      this.perMetre2 = (perDegree2 / perDegree) * this.perMetre;
      [this.x0, this.y0] = this.world(lon0, lat0);
    }

    world(lon, lat) {
      return [
        (WORLD * (lon + Math.PI)) / (2 * Math.PI),
        (WORLD * (Math.PI + Math.log(Math.tan(Math.PI / 4 + lat / 2)))) / (2 * Math.PI),
      ];
    }

    /** Local metres of a place in radians and metres. */
    toLocal(lon, lat, h) {
      const [x, y] = this.world(lon, lat);
      const north = (y - this.y0) / this.perMetre;
      return [(x - this.x0) / (this.perMetre + this.perMetre2 * north), north, h - this.origin[2]];
    }

    fromEarth(x, y, z) {
      return this.toLocal(...toGeodetic(x, y, z));
    }

    /** Place vertices (x, y, z, ...) that `matrix` carries to the earth's centre into `out`, local metres. */
    place(matrix, vertices, out, radius) {
      const map = radius < FLAT_M ? this.straight(matrix) : null;
      for (let i = 0; i < vertices.length; i += 3) {
        const [x, y, z] = [vertices[i], vertices[i + 1], vertices[i + 2]];
        const p = map ? apply(map, x, y, z) : this.fromEarth(...apply(matrix, x, y, z));
        out[i] = p[0];
        out[i + 1] = p[1];
        out[i + 2] = p[2];
      }
      return out;
    }

    /** The map of `matrix` and the projection after it, made straight around the origin of the tile. */
    straight(matrix) {
      const at = (x, y, z) => this.fromEarth(...apply(matrix, x, y, z));
      const step = 100;
      const o = at(0, 0, 0);
      const map = new Float64Array(16);
      const axes = [[step, 0, 0], [0, step, 0], [0, 0, step]];
      axes.forEach((axis, c) => {
        const p = at(...axis);
        const q = at(...axis.map((v) => -v));
        for (let r = 0; r < 3; r++) map[4 * c + r] = (p[r] - q[r]) / (2 * step);
      });
      map.set([o[0], o[1], o[2], 1], 12);
      return map;
    }

    /** Least upright box [x0, y0, z0, x1, y1, z1] in local metres around a bounding volume of 3D Tiles. */
    boxOf(volume, matrix) {
      const points = [];
      if (volume.box) {
        const v = volume.box;
        for (const i of [-1, 1]) for (const j of [-1, 1]) for (const k of [-1, 1]) {
          const c = [0, 1, 2].map((r) => v[r] + i * v[3 + r] + j * v[6 + r] + k * v[9 + r]);
          points.push(this.fromEarth(...apply(matrix, ...c)));
        }
      } else if (volume.region) {
        const [w, s, e, n, low, high] = volume.region;
        for (const lon of [w, e]) for (const lat of [s, n]) for (const h of [low, high]) points.push(this.toLocal(lon, lat, h));
      } else if (volume.sphere) {
        const [x, y, z, r] = volume.sphere;
        const c = this.fromEarth(...apply(matrix, x, y, z));
        const grown = r * Math.hypot(matrix[0], matrix[1], matrix[2]);
        points.push(c.map((q) => q - grown), c.map((q) => q + grown));
      } else {
        throw new Error("a tile has no bounding volume");
      }
      const low = [0, 1, 2].map((r) => Math.min(...points.map((p) => p[r])));
      const high = [0, 1, 2].map((r) => Math.max(...points.map((p) => p[r])));
      if (![...low, ...high].every(Number.isFinite)) throw new Error("a bounding volume is not finite");
      return [...low, ...high];
    }
  };

  kit.geodetic = { to: toGeodetic, from: fromGeodetic };
  kit.Y_UP = new Float64Array([1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1]); // glTF's axes to those of 3D Tiles
})();
