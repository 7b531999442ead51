/* Scene, part 1: loading and colours. Plain functions; nothing here knows about deck.gl's layers. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const TYPES = { float32: Float32Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array };
  const added = new WeakMap(); // pack -> offset -> coordinates
  const kept = new Map(); // address -> promise; buffers outlive a page of the app, so a return is quick

  function fetchKept(url, read) {
    if (!kept.has(url)) {
      const answer = fetch(url, { credentials: "same-origin" }).then((r) => {
        if (!r.ok) throw new Error(`${url}: ${r.status}`);
        return read(r);
      });
      answer.catch(() => kept.delete(url));
      kept.set(url, answer);
    }
    return kept.get(url);
  }

  /** Load the renderer once per document. */
  kit.loadRenderer = function (url) {
    if (window.deck && window.deck.Deck) return Promise.resolve(window.deck);
    if (!kit.rendererPromise) {
      kit.rendererPromise = new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = url;
        script.onload = () => resolve(window.deck);
        script.onerror = () => {
          kit.rendererPromise = null;
          script.remove();
          reject(new Error(`${url}: not loaded`));
        };
        document.head.appendChild(script);
      });
    }
    return kit.rendererPromise;
  };

  kit.loadSpec = async function (lang, theme, view) {
    const query = new URLSearchParams({ lang, theme, view });
    const response = await fetch(`/scene/spec.json?${query}`, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`spec.json: ${response.status}`);
    return response.json();
  };

  /** Fetch every pack of the spec; resolves to {name: ArrayBuffer}. */
  kit.loadPacks = async function (urls) {
    const names = Object.keys(urls);
    const packs = await Promise.all(names.map((n) => fetchKept(urls[n], (r) => r.arrayBuffer())));
    return Object.fromEntries(names.map((n, i) => [n, packs[i]]));
  };

  kit.loadTables = (url) => fetchKept(url, (r) => r.json());

  kit.loadPicture = (url) =>
    fetchKept(url, async (r) => createImageBitmap(await r.blob(), { premultiplyAlpha: "none" }));

  /** The typed array a slot points at: a view, not a copy; places are added up once and kept beside the pack. */
  kit.readSlot = function (slot, packs) {
    const pack = packs[slot["@@buffer"]];
    if (!slot.planes) return new TYPES[slot.dtype](pack, slot.offset, slot.length);
    if (!added.has(pack)) added.set(pack, new Map());
    const kept = added.get(pack);
    if (!kept.has(slot.offset)) kept.set(slot.offset, addUp(slot, new Uint8Array(pack, slot.offset)));
    return kept.get(slot.offset);
  };

  /** Coordinates from their steps: column by column, planes of bytes, the sign in the lowest bit (app/scene/buffers.py). */
  function addUp({ length, size, planes, step }, bytes) {
    const [n, out] = [length / size, new Float32Array(length)];
    for (let c = 0; c < size; c++) {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        let folded = 0;
        for (let p = planes - 1; p >= 0; p--) folded = (folded << 8) | bytes[(c * planes + p) * n + i];
        sum += (folded >>> 1) ^ -(folded & 1);
        out[i * size + c] = sum * step;
      }
    }
    return out;
  }

  /** Colour of `value` on a ramp of evenly spaced stops, into `out` at `o`. */
  kit.writeRamp = function (ramp, share, out, o) {
    const last = ramp.length - 1;
    const at = Math.min(Math.max(share, 0), 1) * last;
    const i = Math.min(Math.floor(at), last - 1);
    const f = at - i;
    for (let c = 0; c < 3; c++) out[o + c] = ramp[i][c] + (ramp[i + 1][c] - ramp[i][c]) * f;
    out[o + 3] = 255;
  };

  kit.cssRamp = (ramp) => `linear-gradient(to right, ${ramp.map((c) => `rgb(${c})`).join(", ")})`;

  /** One colour per vertex from one value per object; NaN takes `none`: a colour, or one per object (i => rgba). */
  kit.paintVertices = function (values, starts, domain, ramp, none, out) {
    const span = domain ? domain[1] - domain[0] || 1 : 1;
    const one = new Uint8ClampedArray(4);
    for (let i = 0; i < values.length; i++) {
      if (Number.isFinite(values[i])) kit.writeRamp(ramp, (values[i] - domain[0]) / span, one, 0);
      else if (typeof none === "function") one.set(none(i));
      else one.set([none[0], none[1], none[2], 255]);
      for (let v = starts[i]; v < starts[i + 1]; v++) out.set(one, 4 * v);
    }
    return out;
  };

  const STEPS = [1, 2, 5];
  /**
   * Range of a ramp: outward to round numbers, never narrower than `least`. The old range is kept while the
   * data stay inside it and fill at least 40 % of it: colours must not jump because one value moved.
   */
  kit.chooseDomain = (values, least, old) => kit.spanDomain(Float64Array.from(values).filter(Number.isFinite).sort(), least, old);

  /** The same from finite numbers in ascending order. */
  kit.spanDomain = function (sorted, least, old) {
    if (!sorted.length) return old || null;
    // In a large network the outer 3 % are left out: a few standing branches must not flatten all colours.
    const cut = sorted.length >= 40 ? Math.floor(0.03 * sorted.length) : 0;
    const low = sorted[cut];
    const high = sorted[sorted.length - 1 - cut];
    if (old && low >= old[0] && high <= old[1] && high - low >= 0.4 * (old[1] - old[0] - least)) return old;
    const middle = (low + high) / 2;
    const half = Math.max(high - low, least) / 2;
    const rough = half / 3;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * (STEPS.find((s) => s * power >= rough) || 10);
    return [Math.floor((middle - half) / step + 1e-9) * step, Math.ceil((middle + half) / step - 1e-9) * step];
  };

  const formats = new Map(); // by decimals: making one costs more than a hundred uses

  /** Three significant figures or `decimals`, a true minus sign, "--" for nothing. */
  kit.formatNumber = function (value, decimals) {
    if (!Number.isFinite(value)) return "--";
    if (!formats.has(decimals)) {
      formats.set(decimals, new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
    }
    const text = formats.get(decimals).format(Math.abs(value));
    return value < 0 && Number(text.replaceAll(",", "")) !== 0 ? `\u2212${text}` : text;
  };

  kit.formatAge = function (seconds, texts) {
    if (!Number.isFinite(seconds)) return "";
    const s = Math.max(0, Math.round(seconds));
    if (s < 120) return texts.seconds_ago.replace("{n}", s);
    if (s < 7200) return texts.minutes_ago.replace("{n}", Math.round(s / 60));
    return texts.hours_ago.replace("{n}", Math.round(s / 3600));
  };

  /** When the box has had the same size for three frames: a page still laying itself out would be framed wrongly. */
  kit.settled = (host) =>
    new Promise((done) => {
      let [size, same] = ["", 0];
      const late = setTimeout(done, 800); // a hidden tab draws no frames
      const look = () => {
        const now = `${host.clientWidth}x${host.clientHeight}`;
        same = now === size && host.clientWidth > 0 ? same + 1 : 0;
        size = now;
        if (same < 2) return requestAnimationFrame(look);
        clearTimeout(late);
        return done();
      };
      requestAnimationFrame(look);
    });

  let graphics;
  /** {soft} or null; asked once, for each try costs a GPU context. */
  kit.probeWebGL = function () {
    if (graphics === undefined) graphics = readWebGL();
    return graphics;
  };

  function readWebGL() {
    try {
      const gl = document.createElement("canvas").getContext("webgl2");
      if (!gl) return null;
      const info = gl.getExtension("WEBGL_debug_renderer_info");
      const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
      const lose = gl.getExtension("WEBGL_lose_context");
      if (lose) lose.loseContext();
      return { soft: /swiftshader|llvmpipe|software|basic render/i.test(name) };
    } catch {
      return null;
    }
  }

  kit.element = function (tag, className, attributes, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
})();
