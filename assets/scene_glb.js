/* Scene, part 12: reads the glb of a tile: meshes with one picture each, nothing else (the import has made them so). */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const COMPONENTS = {
    5120: Int8Array, 5121: Uint8Array, 5122: Int16Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array,
  };
  const WIDTHS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };
  const MAX_VERTICES = 4e6;
  const CLAMP = 33071;

  const fail = (why) => {
    throw new Error(`glb: ${why}`);
  };

  function readChunks(buffer) {
    const view = new DataView(buffer);
    if (buffer.byteLength < 20 || view.getUint32(0, true) !== 0x46546c67) fail("not a glb");
    if (view.getUint32(4, true) !== 2) fail("not version 2");
    const total = view.getUint32(8, true);
    if (total > buffer.byteLength) fail("cut off");
    let [doc, bin] = [null, null];
    for (let at = 12; at + 8 <= total; ) {
      const length = view.getUint32(at, true);
      if (at + 8 + length > total) fail("cut off");
      const body = new Uint8Array(buffer, at + 8, length);
      const kind = view.getUint32(at + 4, true);
      if (kind === 0x4e4f534a) doc = JSON.parse(new TextDecoder().decode(body));
      else if (kind === 0x004e4942 && !bin) bin = body;
      at += 8 + length;
    }
    if (!doc || !bin) fail("nothing in it");
    return { doc, bin };
  }

  /** The numbers of an accessor, tight, as floats where they are shares of 1. */
  function readAccessor({ doc, bin }, index) {
    const a = doc.accessors[index];
    const view = doc.bufferViews[a.bufferView];
    const [Type, width] = [COMPONENTS[a.componentType], WIDTHS[a.type]];
    if (!Type || !width || a.sparse || a.count > MAX_VERTICES) fail("an accessor is not understood");
    const size = Type.BYTES_PER_ELEMENT;
    const stride = view.byteStride || size * width;
    const start = (view.byteOffset || 0) + (a.byteOffset || 0);
    if (start + stride * (a.count - 1) + size * width > bin.byteLength) fail("an accessor leaves the buffer");
    let out;
    if (stride === size * width) {
      const bytes = bin.slice(start, start + stride * a.count);
      out = new Type(bytes.buffer);
    } else {
      out = new Type(a.count * width);
      const source = new DataView(bin.buffer, bin.byteOffset);
      const get = { 1: "getUint8", 2: "getUint16", 4: Type === Float32Array ? "getFloat32" : "getUint32" }[size];
      for (let i = 0; i < a.count; i++) for (let k = 0; k < width; k++) out[i * width + k] = source[get](start + i * stride + k * size, true);
    }
    return a.normalized && Type !== Float32Array ? Float32Array.from(out, (v) => v / (2 ** (8 * size) - 1)) : out;
  }

  /** Colours of the vertices as bytes, four each. */
  function readColours(file, index, count) {
    const values = readAccessor(file, index);
    const a = file.doc.accessors[index];
    const width = WIDTHS[a.type];
    if (values.length !== count * width || width < 3) fail("colours do not fit the vertices");
    const scale = values instanceof Float32Array ? 255 : values instanceof Uint16Array ? 1 / 257 : 1;
    const out = new Uint8ClampedArray(4 * count).fill(255);
    for (let i = 0; i < count; i++) for (let k = 0; k < 3; k++) out[4 * i + k] = values[i * width + k] * scale;
    return new Uint8Array(out.buffer);
  }

  function nodeMatrix(node) {
    if (node.matrix) return Float64Array.from(node.matrix);
    const [x, y, z, w] = node.rotation || [0, 0, 0, 1];
    const s = node.scale || [1, 1, 1];
    const t = node.translation || [0, 0, 0];
    return new Float64Array([
      (1 - 2 * (y * y + z * z)) * s[0], 2 * (x * y + z * w) * s[0], 2 * (x * z - y * w) * s[0], 0,
      2 * (x * y - z * w) * s[1], (1 - 2 * (x * x + z * z)) * s[1], 2 * (y * z + x * w) * s[1], 0,
      2 * (x * z + y * w) * s[2], 2 * (y * z - x * w) * s[2], (1 - 2 * (x * x + y * y)) * s[2], 0,
      t[0], t[1], t[2], 1,
    ]);
  }

  function pictureOf({ doc, bin }, material) {
    const pbr = (material && material.pbrMetallicRoughness) || {};
    if (!pbr.baseColorTexture) return null;
    const image = doc.images[doc.textures[pbr.baseColorTexture.index].source];
    const view = doc.bufferViews[image.bufferView];
    const start = view.byteOffset || 0;
    return new Blob([bin.subarray(start, start + view.byteLength)], { type: image.mimeType });
  }

  /**
   * Parse a glb. Returns parts: {vertices, uv, indices, wrap, picture (ImageBitmap or null), colour, colours, points}; positions are
   * carried through the nodes and are still y-up.
   */
  kit.readGlb = async function (buffer) {
    const file = readChunks(buffer);
    const { doc } = file;
    const identity = new Float64Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    const jobs = [];
    const walk = (index, matrix, depth) => {
      if (depth > 32) fail("nodes too deep");
      const node = doc.nodes[index];
      const mine = kit.multiply(matrix, nodeMatrix(node));
      if (node.mesh !== undefined) for (const p of doc.meshes[node.mesh].primitives) jobs.push([p, mine]);
      for (const child of node.children || []) walk(child, mine, depth + 1);
    };
    for (const index of doc.scenes[doc.scene || 0].nodes) walk(index, identity, 0);
    const pictures = new Map();
    return Promise.all(jobs.filter(([p]) => p.mode === undefined || p.mode === 4 || p.mode === 0).map(async ([p, matrix]) => {
      const material = p.material === undefined ? null : doc.materials[p.material];
      if (!pictures.has(p.material)) {
        const blob = pictureOf(file, material);
        pictures.set(p.material, blob ? createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" }) : null);
      }
      const vertices = readAccessor(file, p.attributes.POSITION);
      const count = vertices.length / 3;
      const indices = p.indices === undefined ? Uint32Array.from({ length: count }, (_, i) => i) : readAccessor(file, p.indices);
      for (const i of indices) if (i >= count) fail("an index leaves the vertices");
      const uv = p.attributes.TEXCOORD_0 === undefined ? new Float32Array(2 * count) : readAccessor(file, p.attributes.TEXCOORD_0);
      const colour = ((material && material.pbrMetallicRoughness) || {}).baseColorFactor || [1, 1, 1, 1];
      const texture = (((material && material.pbrMetallicRoughness) || {}).baseColorTexture || {}).index;
      const sampler = texture === undefined ? {} : (doc.samplers || [])[doc.textures[texture].sampler] || {};
      const wrap = sampler.wrapS === CLAMP ? "clamp-to-edge" : "repeat";
      const colours = p.attributes.COLOR_0 === undefined ? null : readColours(file, p.attributes.COLOR_0, count);
      return { points: p.mode === 0, colours, wrap, vertices, uv: Float32Array.from(uv), indices, matrix, colour, picture: await pictures.get(p.material) };
    }));
  };
})();
