/* Scene, part 2c: live colours of the pipes. One array and one GPU buffer per side, whatever the number of layers that
   show it; colours come from a table of 256 steps, one 32-bit word per vertex, and only what changed is sent. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const STEPS = 256;
  const KNOWN = 0xff000000; // alpha 255: how the water moves is not known

  /** A colour as one little-endian word without alpha. */
  const pack = (rgb) => Math.round(rgb[0]) | (Math.round(rgb[1]) << 8) | (Math.round(rgb[2]) << 16);

  /** The ramp in 256 steps. */
  kit.tabulateRamp = function (ramp) {
    const one = new Uint8ClampedArray(4);
    return Uint32Array.from({ length: STEPS }, (_, i) => {
      kit.writeRamp(ramp, i / (STEPS - 1), one, 0);
      return pack(one);
    });
  };

  kit.Tints = class Tints {
    /** `row`: which row of the county's table each path is; `starts`: its first vertex; `none`: colour without a value. */
    constructor(row, starts, ramp, none) {
      Object.assign(this, { row, starts, table: kit.tabulateRamp(ramp), none: pack(none), buffer: null });
      this.words = new Uint32Array(starts[starts.length - 1]).fill(this.none | KNOWN);
      this.bytes = new Uint8Array(this.words.buffer);
    }

    /** `values` by table row or null, `flows` alpha by table row or null. Sends the changed stretch to the GPU. */
    paint(values, domain, flows) {
      const { row, starts, words, table, none } = this;
      const low = domain ? domain[0] : 0;
      const scale = domain ? (STEPS - 1) / (domain[1] - domain[0] || 1) : 0;
      let [first, last] = [-1, -1];
      for (let k = 0; k < row.length; k++) {
        const value = values ? values[row[k]] : NaN;
        let word = none;
        if (value - value === 0) {
          const at = (value - low) * scale + 0.5;
          word = table[at < 0 ? 0 : at >= STEPS ? STEPS - 1 : at | 0];
        }
        word = (word | (flows ? flows[row[k]] << 24 : KNOWN)) >>> 0;
        if (words[starts[k]] === word) continue; // all vertices of a path have one colour
        words.fill(word, starts[k], starts[k + 1]);
        if (first < 0) first = starts[k];
        last = starts[k + 1];
      }
      if (first >= 0 && this.buffer) this.buffer.write(this.bytes.subarray(4 * first, 4 * last), 4 * first);
    }

    attach(device) {
      this.buffer = device.createBuffer({ data: this.bytes });
    }

    destroy() {
      if (this.buffer) this.buffer.destroy();
      this.buffer = null;
    }
  };

  /** How the water moves in every pipe, as alphas (`kit.flowAlpha`), into arrays that are kept. */
  kit.Flows = class Flows {
    constructor(diameter_m) {
      this.perKg = Float32Array.from(diameter_m, kit.speedPerKg);
      this.alphas = new Uint8Array(diameter_m.length);
    }

    read(massFlow) {
      const { perKg, alphas } = this;
      for (let i = 0; i < alphas.length; i++) alphas[i] = kit.flowAlpha(massFlow[i] * perKg[i]);
      return alphas;
    }
  };
})();
