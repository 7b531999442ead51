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
      this.tints = {}; // live colours by side: the pipes in sight and those behind something share them
      this.entries = spec.layers.map((layer) => this.prepare(layer, packs));
    }

    prepare(layer, packs) {
      const {
        "@@type": type, role, heights, cells, picture, tree, fromZoom, paint, live, row, lift, under, fading, extensions: wanted, ...props
      } = layer;
      const entry = { type, role, picture, fromZoom: fromZoom || 0, paint, live, props };
      props.coordinateSystem = this.deck.COORDINATE_SYSTEM.METER_OFFSETS;
      props.coordinateOrigin = this.spec.scene.origin;
      if (props.widthMinPixels) props.widthMinPixels *= kit.uiScale();
      if (role === "ground" || role === "roads" || role === "trees" || role === "water") props.extensions = [new (kit.getExtensions(this.deck).HourExtension)()];
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
      if (fading) props.data.attributes.getFillColor = this.fadeOut(props.data, fading);
      if (under) entry.below = { drop: kit.readSlot(under.drop, packs), width: kit.readSlot(under.width, packs) };
      if (live) {
        const tints = this.tints[live.side] || new kit.Tints(entry.row, props.data.startIndices, live.ramp, this.spec.scene.palette.none);
        this.tints[live.side] = entry.tints = tints;
        entry.colours = tints.bytes;
      }
      return entry;
    }

    /** One colour for all, going out towards the edge of the county as the ground does. */
    fadeOut({ attributes, startIndices, length }, { colour, share }) {
      const [west, south, east, north] = this.spec.scene.extent;
      const places = attributes.getPolygon.value;
      const out = new Uint8Array(4 * startIndices[length]);
      const ramp = (away, size) => {
        const t = Math.min(Math.max(away / (share * size), 0), 1);
        return t * t * (3 - 2 * t);
      };
      for (let v = 0; v < out.length / 4; v++) {
        const [x, y] = [places[3 * v], places[3 * v + 1]];
        const kept = ramp(Math.min(x - west, east - x), east - west) * ramp(Math.min(y - south, north - y), north - south);
        out.set([colour[0], colour[1], colour[2], colour[3] * kept], 4 * v);
      }
      return { value: out, size: 4, normalized: true };
    }

    /** Give the GPU device; makes the live colour buffers. */
    attach(device) {
      this.device = device;
      for (const tints of Object.values(this.tints)) tints.attach(device);
      for (const entry of this.entries) {
        if (entry.live) entry.props.data.attributes.getColor = { buffer: entry.tints.buffer, size: 4, type: "unorm8", stride: 4 };
      }
    }

    /** Colour the live layers: `sides` = {supply: {values, domain}, return: ...}, values and `flows` per table row. */
    colour(sides, flows = null) {
      for (const [side, tints] of Object.entries(this.tints)) tints.paint(sides[side].values, sides[side].domain, flows);
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
      if (entry.role === "water") return { opacity: share };
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
      return entry.role === "roads" || entry.role === "water" || entry.role === "buildings" ? { opacity: 0.2, parameters: { depthWriteEnabled: false } } : {};
    }

    /** The same pipes with their true places and widths; colours stay in the one live buffer. */
    underData(entry) {
      const { data } = entry.props;
      const { startIndices: starts, attributes } = data;
      const path = attributes.getPath.value.slice();
      const width = new Float32Array(path.length / 3);
      for (let k = 0; k < data.length; k++) {
        width.fill(entry.below.width[k], starts[k], starts[k + 1]);
        for (let v = starts[k]; v < starts[k + 1]; v++) path[3 * v + 2] -= entry.below.drop[k];
      }
      return { ...data, attributes: { ...attributes, getPath: { value: path, size: 3 }, getWidth: { value: width, size: 1 } } };
    }

    isReplaced(entry, photo) {
      if (entry.role === "ground") return photo.solid || photo.glass;
      if (entry.props.id === "buildings") return !photo.tint;
      return entry.role === "roads" || entry.role === "water" || entry.role === "trees" || entry.props.id === "shadows";
    }

    /** Changes when another zoom would draw other layers. */
    stepOf(zoom) {
      return this.entries.filter((e) => zoom >= e.fromZoom).length;
    }

    destroy() {
      for (const tints of Object.values(this.tints)) tints.destroy();
    }
  };
})();
