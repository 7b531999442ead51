/* Scene, part 2b: meshes: the ground from its heights, a tree. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  /** Grid mesh from heights: two triangles per cell, split from north-west to south-east.
      `cells` [j0, i0, j1, i1]: only these columns and rows; the picture covers exactly them. */
  kit.makeGround = function (heights, packs, cells) {
    const { nx, ny, x0, y0, dx, dy } = heights;
    const [j0, i0, j1, i1] = cells || [0, 0, nx - 1, ny - 1];
    const [w, h] = [j1 - j0 + 1, i1 - i0 + 1];
    const z = kit.readSlot(heights, packs);
    const positions = new Float32Array(w * h * 3);
    const texCoords = new Float32Array(w * h * 2);
    for (let i = 0, v = 0; i < h; i++) {
      for (let j = 0; j < w; j++, v++) {
        positions[3 * v] = x0 + (j0 + j) * dx;
        positions[3 * v + 1] = y0 + (i0 + i) * dy;
        positions[3 * v + 2] = z[(i0 + i) * nx + j0 + j];
        texCoords[2 * v] = j / (w - 1);
        texCoords[2 * v + 1] = 1 - i / (h - 1);
      }
    }
    const indices = new Uint32Array((w - 1) * (h - 1) * 6);
    for (let i = 0, k = 0; i < h - 1; i++) {
      for (let j = 0; j < w - 1; j++, k += 6) {
        const sw = i * w + j;
        indices.set([sw, sw + 1, sw + w, sw + 1, sw + w + 1, sw + w], k);
      }
    }
    const normals = new Float32Array(w * h * 3);
    for (let v = 2; v < normals.length; v += 3) normals[v] = 1;
    return {
      indices: { value: indices, size: 1 },
      attributes: {
        positions: { value: positions, size: 3 },
        normals: { value: normals, size: 3 },
        texCoords: { value: texCoords, size: 2 },
      },
    };
  };

  /** A tree: a short stem that is not drawn and a six-sided crown. */
  kit.makeTree = function ([radius, height]) {
    const sides = 6;
    const positions = [];
    const normals = [];
    const ring = (k) => [Math.cos((k * 2 * Math.PI) / sides), Math.sin((k * 2 * Math.PI) / sides)];
    const put = (x, y, z, n) => {
      positions.push(x * radius, y * radius, z * height);
      normals.push(...n);
    };
    for (let k = 0; k < sides; k++) {
      const [a, b, m] = [ring(k), ring(k + 1), ring(k + 0.5)];
      put(a[0], a[1], 0.36, [m[0], m[1], 0.2]);
      put(b[0], b[1], 0.36, [m[0], m[1], 0.2]);
      put(0, 0, 1, [m[0] * 0.6, m[1] * 0.6, 0.7]);
      put(b[0], b[1], 0.36, [m[0], m[1], -0.6]);
      put(a[0], a[1], 0.36, [m[0], m[1], -0.6]);
      put(0, 0, 0.1, [0, 0, -1]);
    }
    return {
      attributes: {
        positions: { value: new Float32Array(positions), size: 3 },
        normals: { value: new Float32Array(normals), size: 3 },
        texCoords: { value: new Float32Array((positions.length / 3) * 2), size: 2 },
      },
    };
  };
})();
