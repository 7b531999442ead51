/* Scene, part 19: makes room for photography that covers a part of the county only: inside its extent the drawn ground
   sinks, and drawn streets, trees, shadows and buildings are left out. What was cut comes back when it is switched off. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const SUNK_M = 80;

  const isInside = (boxes, x, y) => boxes.some((b) => x > b[0] && x < b[2] && y > b[1] && y < b[3]);

  function sinkMesh(mesh, boxes) {
    const positions = mesh.attributes.positions.value.slice();
    for (let i = 0; i < positions.length; i += 3) if (isInside(boxes, positions[i], positions[i + 1])) positions[i + 2] -= SUNK_M;
    return { ...mesh, attributes: { ...mesh.attributes, positions: { value: positions, size: 3 } } };
  }

  /** Objects that do not begin inside the boxes: {data, row}. */
  function keepOutside(data, row, boxes, filter) {
    const place = (data.attributes.getPath || data.attributes.getPolygon || data.attributes.getPosition).value;
    const starts = data.startIndices || Uint32Array.from({ length: data.length + 1 }, (_, i) => i);
    const kept = [];
    for (let n = 0; n < data.length; n++) {
      const middle = 3 * Math.floor((starts[n] + starts[n + 1] - 1) / 2);
      if (!isInside(boxes, place[middle], place[middle + 1]) && (!filter || filter(row[n]))) kept.push(n);
    }
    const outStarts = new Uint32Array(kept.length + 1);
    kept.forEach((n, i) => (outStarts[i + 1] = outStarts[i] + starts[n + 1] - starts[n]));
    const attributes = {};
    for (const [name, a] of Object.entries(data.attributes)) {
      const out = new a.value.constructor(outStarts[kept.length] * a.size);
      kept.forEach((n, i) => out.set(a.value.subarray(starts[n] * a.size, starts[n + 1] * a.size), outStarts[i] * a.size));
      attributes[name] = { ...a, value: out };
    }
    return {
      data: { length: kept.length, startIndices: data.startIndices ? outStarts : undefined, attributes },
      row: row && Uint32Array.from(kept, (n) => row[n]),
    };
  }

  /** Cut every drawn layer but the pipes; `boxes` [west, south, east, north] in local metres, none to undo it. `filter`
      (row => boolean) leaves buildings out besides. */
  kit.cutLayers = function (entries, boxes, filter = null) {
    for (const entry of entries) {
      if (entry.live) continue;
      entry.whole = entry.whole || { data: entry.props.data, row: entry.row, mesh: entry.props.mesh };
      const { data, row, mesh } = entry.whole;
      if (entry.role === "ground") entry.props.mesh = boxes.length ? sinkMesh(mesh, boxes) : mesh;
      if (entry.role === "ground") continue;
      const mine = entry.props.id === "buildings" ? filter : null;
      const cut = boxes.length || mine ? keepOutside(data, row, boxes, mine) : { data, row };
      entry.props.data = cut.data;
      entry.row = cut.row;
    }
  };
})();
