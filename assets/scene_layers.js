/* Scene, part 2: from the spec's layers to deck.gl layers. Geometry is uploaded once; live colours go into
   GPU buffers of their own, so that an update writes a few kilobytes and rebuilds nothing. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

  const STOREY_M = 3;
  let extensions = null;
  /** Two small shader extensions; made when deck is there, because they derive from its class. */
  function getExtensions(deck) {
    if (extensions) return extensions;

    /** Draws a path beside its line, `offset` widths to the right (negative: left), with a dark rim. */
    class SideOffsetExtension extends deck.LayerExtension {
      getShaders(extension) {
        const k = extension.opts.offset;
        const wide = (2 * Math.abs(k) + 1).toFixed(4);
        const side = Math.sign(k).toFixed(1);
        const rim = extension.opts.rim.map((c) => (c / 255).toFixed(4)).join(", ");
        return {
          inject: {
            "vs:DECKGL_FILTER_SIZE": `size *= ${wide};`,
            "vs:#main-end": `
              vPathPosition.x = (vPathPosition.x + ${side}) * ${wide} - (${side});
              vPathPosition.y *= ${wide};
              vPathLength *= ${wide};`,
            "fs:#main-start": "if (abs(vPathPosition.x) > 1.0) discard;",
            "fs:DECKGL_FILTER_COLOR":
              `color.rgb = mix(color.rgb, vec3(${rim}), 0.85 * smoothstep(0.66, 0.98, abs(geometry.uv.x)));`,
          },
        };
      }
    }
    SideOffsetExtension.extensionName = "SideOffsetExtension";

    /** Walls darken towards the ground, and near by show their floors: depth and scale without real shadows.
        An alpha of 254 marks walls without windows. */
    class FacadeExtension extends deck.LayerExtension {
      getShaders() {
        return {
          inject: {
            "vs:#decl": "out float vWall;",
            "vs:#main-end": `
              vWall = -1.0;
              #ifdef IS_SIDE_VERTEX
              vWall = vColor.a > 0.998 ? positions.y * elevations : -1.0;
              vColor.rgb *= mix(0.50, 0.92, positions.y);
              #endif`,
            "fs:#decl": "in float vWall;",
            "fs:DECKGL_FILTER_COLOR": `
              if (vWall >= 0.0) {
                float floors = vWall / ${STOREY_M.toFixed(2)};
                float fine = 1.0 - smoothstep(0.12, 0.45, fwidth(floors));
                float sill = smoothstep(0.16, 0.30, abs(fract(floors) - 0.5));
                color.rgb *= mix(1.0, mix(0.70, 1.06, sill), fine);
              }`,
          },
        };
      }
    }
    FacadeExtension.extensionName = "FacadeExtension";

    extensions = { SideOffsetExtension, FacadeExtension };
    return extensions;
  }

  /** Grid mesh from 16-bit heights: two triangles per cell, split from north-west to south-east.
      `cells` [j0, i0, j1, i1]: only these columns and rows; the picture covers exactly them. */
  function makeGround(heights, packs, cells) {
    const { nx, ny, x0, y0, dx, dy, low, step } = heights;
    const [j0, i0, j1, i1] = cells || [0, 0, nx - 1, ny - 1];
    const [w, h] = [j1 - j0 + 1, i1 - i0 + 1];
    const steps = kit.readSlot(heights, packs);
    const positions = new Float32Array(w * h * 3);
    const texCoords = new Float32Array(w * h * 2);
    for (let i = 0, v = 0; i < h; i++) {
      for (let j = 0; j < w; j++, v++) {
        positions[3 * v] = x0 + (j0 + j) * dx;
        positions[3 * v + 1] = y0 + (i0 + i) * dy;
        positions[3 * v + 2] = low + steps[(i0 + i) * nx + j0 + j] * step;
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
  }

  /** A tree: a short stem that is not drawn and a six-sided crown. */
  function makeTree([radius, height]) {
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
  }

  /** Binary data object of deck.gl from the spec's slots. */
  function readData(data, packs) {
    const attributes = {};
    for (const [name, slot] of Object.entries(data.attributes)) {
      attributes[name] = { value: kit.readSlot(slot, packs), size: slot.size };
    }
    const startIndices = data.startIndices ? kit.readSlot(data.startIndices, packs) : undefined;
    return { length: data.length, startIndices, attributes };
  }

  /**
   * Prepared layers of one spec. `visible` maps a role to a boolean; `build()` returns new layer objects that
   * share data and buffers with the ones before, so deck.gl matches them by id and uploads nothing again.
   */
  kit.LayerSet = class LayerSet {
    constructor(deckModule, spec, packs, pictures, soft) {
      this.deck = deckModule;
      this.spec = spec;
      this.pictures = pictures;
      this.soft = soft; // drawn by the processor: half of the cost of the ground would be its sharpness far off
      this.device = null;
      this.entries = spec.layers.map((layer) => this.prepare(layer, packs));
    }

    prepare(layer, packs) {
      const {
        "@@type": type, role, heights, cells, picture, tree, fromZoom, paint, live, row, lift, under, extensions: wanted, ...props
      } = layer;
      const entry = { type, role, picture, fromZoom: fromZoom || 0, paint, live, props };
      props.coordinateSystem = this.deck.COORDINATE_SYSTEM.METER_OFFSETS;
      props.coordinateOrigin = this.spec.scene.origin;
      if (props.widthMinPixels) props.widthMinPixels *= kit.uiScale();
      if (lift) props.getPolygonOffset = () => [0, -40 * lift];
      if (type === "PathLayer") props._pathType = "open";
      if (type === "SolidPolygonLayer") props._normalize = false;
      if (wanted) {
        const classes = getExtensions(this.deck);
        props.extensions = wanted.map(
          ({ "@@type": name, ...opts }) => new classes[name]({ rim: this.spec.scene.palette.casing, ...opts }),
        );
      }
      if (heights) {
        props.mesh = makeGround(heights, packs, cells);
        props.material = { unlit: true }; // light and shade are in the picture
        props.textureParameters = {
          minFilter: "linear", magFilter: "linear", mipmapFilter: "linear", maxAnisotropy: this.soft ? 2 : 8,
          addressModeU: "clamp-to-edge", addressModeV: "clamp-to-edge",
        };
      } else {
        props.data = readData(props.data, packs);
      }
      if (tree) {
        props.mesh = makeTree(tree);
        props.material = { ambient: 0.62, diffuse: 0.5, shininess: 4, specularColor: [0, 0, 0] };
      }
      if (row) entry.row = kit.readSlot(row, packs);
      if (paint) {
        entry.starts = props.data.startIndices;
        const out = new Uint8ClampedArray(4 * entry.starts[props.data.length]);
        const classes = kit.readSlot(paint.classes, packs);
        const values = paint.value ? kit.readSlot(paint.value, packs) : new Float32Array(classes.length).fill(NaN);
        kit.paintVertices(values, entry.starts, paint.domain, paint.ramp, (i) => paint.table[classes[i]], out);
        props.data.attributes[paint.attribute] = { value: new Uint8Array(out.buffer), size: 4, normalized: true };
      }
      if (under) entry.underSlots = { getPath: under.path, getWidth: under.width };
      if (under) entry.packs = packs;
      if (live) {
        entry.starts = props.data.startIndices;
        entry.colours = new Uint8ClampedArray(4 * entry.starts[props.data.length]);
        kit.paintVertices(
          new Float32Array(props.data.length).fill(NaN), entry.starts, [0, 1], live.ramp,
          this.spec.scene.palette.none, entry.colours,
        );
      }
      return entry;
    }

    /** Give the GPU device; makes the live colour buffers. */
    attach(device) {
      this.device = device;
      for (const entry of this.entries) {
        if (!entry.live) continue;
        entry.buffer = device.createBuffer({ data: new Uint8Array(entry.colours.buffer) });
        entry.props.data.attributes.getColor = { buffer: entry.buffer, size: 4, type: "unorm8", stride: 4 };
      }
    }

    /** Colour the live layers: `sides` = {supply: {values, domain}, return: ...}, values per table row. */
    colour(sides) {
      const none = this.spec.scene.palette.none;
      for (const entry of this.entries) {
        if (!entry.live) continue;
        const { values, domain } = sides[entry.live.side];
        const mine = new Float32Array(entry.row.length);
        for (let i = 0; i < mine.length; i++) mine[i] = values ? values[entry.row[i]] : NaN;
        kit.paintVertices(mine, entry.starts, domain || [0, 1], entry.live.ramp, none, entry.colours);
        if (entry.buffer) entry.buffer.write(new Uint8Array(entry.colours.buffer));
      }
    }

    entryOf(layerId) {
      return this.entries.find((e) => e.props.id === layerId);
    }

    rowsOf(layerId) {
      return this.entryOf(layerId).row;
    }

    rowOf(layerId, index) {
      return this.rowsOf(layerId)[index];
    }

    /**
     * Layers for this zoom; one whose picture has not come yet is left out. `photo` {solid, glass, tint}: photography
     * stands for ground, streets, trees and buildings; `tint` lays the buildings' colours over it.
     */
    build(visible, zoom, photo = null, under = false) {
      return this.entries
        .filter((e) => !e.picture || this.pictures[e.picture])
        .map((e) => new this.deck[e.type]({
          ...e.props,
          ...(e.picture ? { texture: this.pictures[e.picture] } : {}),
          ...(photo && e.props.id === "buildings" ? { opacity: 0.46, getPolygonOffset: () => [-4, -400], pickable: false } : {}),
          ...(under ? this.lookUnder(e) : {}),
          visible: visible[e.role] !== false && zoom >= e.fromZoom && !(photo && this.isReplaced(e, photo)),
        }));
    }

    /** Seen through the ground: pipes at their true depth and diameter, the ground like glass over them. */
    lookUnder(entry) {
      if (entry.role === "ground") return { opacity: 0.35 };
      if (entry.live) {
        entry.under = entry.under || this.underData(entry);
        return {
          data: entry.under, widthMinPixels: 1.6 * kit.uiScale(), parameters: { depthCompare: "always" },
          ...(entry.props.id.endsWith(".hidden") ? { visible: false } : {}),
        };
      }
      if (entry.props.id === "shadows" || entry.role === "trees") return { visible: false };
      return entry.role === "roads" || entry.role === "buildings" ? { opacity: 0.2, parameters: { depthWriteEnabled: false } } : {};
    }

    /** The same pipes with their true places and widths; colours stay in the one live buffer. */
    underData(entry) {
      const { data } = entry.props;
      const attributes = { ...data.attributes };
      for (const [name, slot] of Object.entries(entry.underSlots)) {
        attributes[name] = { value: kit.readSlot(slot, entry.packs), size: slot.size };
      }
      return { ...data, attributes };
    }

    isReplaced(entry, photo) {
      if (entry.role === "ground") return photo.solid || photo.glass;
      if (entry.props.id === "buildings") return !photo.tint;
      return entry.role === "roads" || entry.role === "trees" || entry.props.id === "shadows";
    }

    /** Changes when another zoom would draw other layers. */
    stepOf(zoom) {
      return this.entries.filter((e) => zoom >= e.fromZoom).length;
    }

    destroy() {
      for (const entry of this.entries) {
        if (entry.buffer) entry.buffer.destroy();
        entry.buffer = null;
      }
    }
  };

  /** How much bigger than on a desk things are: a wall scales the page's root font. */
  kit.uiScale = () => (parseFloat(getComputedStyle(document.documentElement).fontSize) || 16) / 16;

  const GLYPHS = {
    source: { x: 0, y: 0, width: 64, height: 64, mask: true },
    station: { x: 64, y: 0, width: 64, height: 64, mask: true },
  };
  let glyphs = null;
  /** A flame for a source; for a station the zigzag that stands for a heat exchanger. */
  function drawGlyphs() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [128, 64];
    const pen = canvas.getContext("2d");
    pen.fillStyle = pen.strokeStyle = "#fff";
    pen.fill(new Path2D("M32 4C36 18 50 24 50 40a18 18 0 0 1-36 0c0-8 5-12 8-18 3 4 4 7 4 10 5-7 7-16 6-28z"));
    pen.lineWidth = 8;
    pen.lineJoin = pen.lineCap = "round";
    pen.stroke(new Path2D("M70 32h10l8-18 16 36 8-18h10"));
    return canvas;
  }

  /** Markers: a stem from the ground, a disc in the colour of the live temperature, a ring when selected. */
  kit.buildMarkers = function (deckModule, scene, state) {
    const places = scene.places.filter((p) => state.visible[p.kind === "source" ? "sources" : "stations"] !== false);
    const base = {
      data: places,
      coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS,
      coordinateOrigin: scene.origin,
    };
    const ink = scene.palette.marker;
    const dim = (p) => (state.selected && state.selected !== p.id ? 0.55 : 1);
    const ui = kit.uiScale();
    const radius = (p) => ui * (p.kind === "source" ? 12 : 7.5) * (state.selected === p.id ? 1.3 : 1);
    const triggers = { selected: state.selected, live: state.markerVersion };
    return [
      new deckModule.LineLayer({
        ...base,
        id: "markers.stem",
        getSourcePosition: (p) => p.ground,
        getTargetPosition: (p) => p.top,
        getColor: (p) => [...ink, 150 * dim(p)],
        getWidth: 1.2 * ui,
        widthUnits: "pixels",
        updateTriggers: { getColor: triggers.selected },
      }),
      new deckModule.ScatterplotLayer({
        ...base,
        id: "markers.ring",
        data: places.filter((p) => p.id === state.selected),
        getPosition: (p) => p.top,
        getRadius: (p) => radius(p) + 6 * ui,
        radiusUnits: "pixels",
        billboard: true,
        filled: false,
        stroked: true,
        getLineColor: [...scene.palette.accent, 255],
        getLineWidth: 2.5 * ui,
        lineWidthUnits: "pixels",
        parameters: { depthCompare: "always" },
      }),
      new deckModule.ScatterplotLayer({
        ...base,
        id: "markers",
        pickable: true,
        getPosition: (p) => p.top,
        getRadius: radius,
        radiusUnits: "pixels",
        billboard: true,
        stroked: true,
        getFillColor: (p) => [...state.markerColour(p), 255 * dim(p)],
        getLineColor: (p) => [...ink, 255 * dim(p)],
        getLineWidth: (p) => ui * (p.kind === "source" ? 2.5 : 1.6),
        lineWidthUnits: "pixels",
        parameters: { depthCompare: "always" },
        updateTriggers: {
          getFillColor: [triggers.selected, triggers.live], getLineColor: triggers.selected,
          getRadius: triggers.selected,
        },
      }),
      new deckModule.IconLayer({
        ...base,
        id: "markers.glyph",
        iconAtlas: (glyphs = glyphs || drawGlyphs()),
        iconMapping: GLYPHS,
        getIcon: (p) => p.kind,
        getPosition: (p) => p.top,
        getSize: (p) => 1.3 * radius(p),
        sizeUnits: "pixels",
        billboard: true,
        getColor: [...scene.palette.casing, 240],
        parameters: { depthCompare: "always" },
        updateTriggers: { getSize: triggers.selected },
      }),
    ];
  };
})();
