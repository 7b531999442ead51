/* Scene, part 2: from the spec's layers to deck.gl layers. Geometry is uploaded once; live colours go into
   GPU buffers of their own, so that an update writes a few kilobytes and rebuilds nothing. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

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
      if (role === "ground" || role === "roads" || role === "trees") props.extensions = [new (kit.getExtensions(this.deck).HourExtension)()];
      if (lift) props.getPolygonOffset = () => [0, -40 * lift];
      if (type === "PathLayer") props._pathType = "open";
      if (type === "SolidPolygonLayer") props._normalize = false;
      if (wanted) {
        const classes = kit.getExtensions(this.deck);
        props.extensions = wanted.map(
          ({ "@@type": name, ...opts }) => new classes[name]({ rim: this.spec.scene.palette.casing, ...opts }),
        );
      }
      if (heights) {
        props.mesh = kit.makeGround(heights, packs, cells);
        props.material = { unlit: true }; // light and shade are in the picture
        props.textureParameters = {
          minFilter: "linear", magFilter: "linear", mipmapFilter: "linear", maxAnisotropy: this.soft ? 2 : 8,
          addressModeU: "clamp-to-edge", addressModeV: "clamp-to-edge",
        };
      } else {
        props.data = readData(props.data, packs);
      }
      if (tree) {
        props.mesh = kit.makeTree(tree);
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
    colour(sides, flow = null) {
      const none = this.spec.scene.palette.none;
      for (const entry of this.entries) {
        if (!entry.live) continue;
        const { values, domain } = sides[entry.live.side];
        const mine = new Float32Array(entry.row.length);
        for (let i = 0; i < mine.length; i++) mine[i] = values ? values[entry.row[i]] : NaN;
        kit.paintVertices(mine, entry.starts, domain || [0, 1], entry.live.ramp, none, entry.colours);
        if (flow) this.markFlow(entry, flow);
        if (entry.buffer) entry.buffer.write(new Uint8Array(entry.colours.buffer));
      }
    }

    /** The alpha of a pipe's colour says how its water moves. */
    markFlow(entry, { massFlow, diameter_m }) {
      entry.row.forEach((row, k) => {
        const alpha = kit.flowAlpha(massFlow[row], diameter_m[row]);
        for (let v = entry.starts[k]; v < entry.starts[k + 1]; v++) entry.colours[4 * v + 3] = alpha;
      });
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
    build({ visible, opacity = {}, under = false }, zoom, photo = null) {
      return this.entries
        .filter((e) => !e.picture || this.pictures[e.picture])
        .map((e) => new this.deck[e.type]({
          ...e.props,
          ...(e.picture ? { texture: this.pictures[e.picture] } : {}),
          ...(photo && e.props.id === "buildings" ? { opacity: 0.55, getPolygonOffset: () => [-4, -400], pickable: false } : {}),
          ...(opacity[e.role] < 1 ? this.fade(e, opacity[e.role]) : {}),
          ...(under ? this.lookUnder(e) : {}),
          visible: visible[e.role] !== false && zoom >= e.fromZoom && !(photo && this.isReplaced(e, photo)),
        }));
    }

    fade(entry, share) {
      return { opacity: share * (entry.props.opacity || 1), ...(entry.live ? {} : { parameters: { depthWriteEnabled: share > 0.95 } }) };
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
})();
