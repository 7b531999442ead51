/* Scene, part 14: the tiles of the catalogue (tilt photography, models, point clouds): keeps the tile trees in step with
   the camera and says what they stand for. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const ASK_MS = 30000; // how often an empty catalogue is asked again; the demo's is made at the first start
  const LOOK_MS = 120; // how often, at most, the trees are walked while the camera moves
  const BUDGET = { soft: 400e6, hard: 800e6 };
  const GLASS = 0.4; // opacity of the photograph over what lies in the ground
  const BESIDE = 0.1; // room beside the picture that is covered too, in heights of the camera
  const FAR = (kit.FAR = 1.6); // how far the camera sees, in deck.gl's measure
  const MANY_PIXELS = 2.5e6;
  const DOT_PX = 2.5; // a point of a point cloud

  let serial = 0;

  /** All tile layers of one scene. `scene` gives deck, view and frames; the manager asks it to draw anew. */
  kit.Photo = class Photo {
    constructor(scene, soft) {
      this.scene = scene;
      this.soft = soft;
      this.frame = new kit.SceneFrame(scene.spec.scene.origin);
      this.layers = [];
      this.opacity = 1;
      this.tone = scene.spec.scene.tone;
      this.cutKey = "";
      this.budget = soft ? BUDGET.soft : BUDGET.hard;
      this.ask();
    }

    /** Read the catalogue; while it is empty, again later. */
    async ask() {
      let rows = [];
      try {
        const response = await fetch(this.scene.spec.scene.tiles, { credentials: "same-origin", cache: "no-cache" });
        if (response.ok) rows = (await response.json()).layers;
      } catch {
        // the catalogue is asked again
      }
      if (this.closed) return;
      for (const row of rows) if (!this.layers.some((l) => l.row.folder === row.folder)) await this.open(row);
      this.timer = setTimeout(() => this.ask(), ASK_MS);
    }

    async open(row) {
      const tree = new kit.TileTree(`${this.scene.spec.scene.tiles.replace(/catalogue\.json.*/, "")}${row.folder}/${row.tileset}`, {
        frame: this.frame, budget: this.budget, load: (node) => this.load(node), free: (content) => this.free(content),
        changed: () => this.lookSoon(),
      });
      try {
        await tree.open();
      } catch (error) {
        console.warn("tiles:", error.message);
        return;
      }
      if (this.closed) return tree.close();
      for (const old of this.layers.filter((l) => l.row.id === row.id)) old.tree.close();
      this.layers = [...this.layers.filter((l) => l.row.id !== row.id), { row, tree, all: row.kind !== "points" && this.coversNetwork(row) }];
      this.scene.onPhotoLayers();
      this.lookSoon();
    }

    /** Whether a layer's extent holds most of what the first view frames. */
    coversNetwork(row) {
      const [w, s, e, n] = row.extent_deg;
      const places = this.scene.spec.scene.places;
      const inside = places.filter((p) => p.lonlat[0] > w && p.lonlat[0] < e && p.lonlat[1] > s && p.lonlat[1] < n);
      return inside.length >= 0.8 * places.length;
    }

    async load(node) {
      const response = await fetch(node.url, { credentials: "same-origin" });
      if (!response.ok) throw new Error(`${node.url}: ${response.status}`);
      const parts = await kit.readGlb(await response.arrayBuffer());
      const radius = Math.hypot(...[0, 1, 2].map((i) => node.box[i + 3] - node.box[i])) / 2;
      let bytes = 0;
      for (const part of parts) {
        const matrix = kit.multiply(kit.multiply(node.matrix, kit.Y_UP), part.matrix);
        part.places = this.frame.place(matrix, part.vertices, new Float32Array(part.vertices.length), radius);
        part.vertices = null;
        const texels = part.picture ? part.picture.width * part.picture.height * 4 * 1.34 : 0;
        bytes += texels + part.places.byteLength + part.uv.byteLength + part.indices.byteLength + (part.colours ? part.colours.byteLength : 0);
      }
      return { id: ++serial, parts, bytes, textures: [], models: null };
    }

    free(content) {
      for (const model of content.models || []) model.destroy();
      for (const texture of content.textures) texture.destroy();
      for (const part of content.parts) if (part.picture) part.picture.close();
      content.models = null;
      content.textures = [];
    }

    shown(layer) {
      return this.scene.state.visible[`tiles.${layer.row.id}`] !== false && this.opacity > 0.01;
    }

    /** Whether photography stands for ground and buildings. */
    get replaces() {
      return this.layers.some((l) => l.all && this.shown(l) && l.tree.covered);
    }

    /** Opacity as drawn: looking under the ground, the photograph is like glass. */
    get strength() {
      return this.scene.state.under ? Math.min(this.opacity, GLASS) : this.opacity;
    }

    get bytes() {
      return this.layers.reduce((sum, l) => sum + l.tree.bytes, 0);
    }

    /** State of the trees in numbers. */
    report() {
      const sum = (read) => this.layers.reduce((n, l) => n + read(l.tree), 0);
      return {
        layers: this.layers.length, covered: this.layers.length > 0 && this.layers.every((l) => l.tree.covered),
        drawn: sum((t) => (t.draws || []).length), kept: sum((t) => t.kept.size), bytes: this.bytes, budget: this.budget,
        loading: sum((t) => t.loading), wanted: sum((t) => t.wanted.length), failures: this.layers.flatMap((l) => l.tree.failures),
      };
    }

    lookSoon() {
      if (this.waiting || this.closed) return;
      this.waiting = setTimeout(() => {
        this.waiting = null;
        this.look();
      }, LOOK_MS);
    }

    /**
     * Walk the trees for the present camera, or the one that comes with the next frame (`viewState`): what enters the
     * picture must be chosen before it is drawn. Draw anew when the choice is another.
     */
    look(viewState) {
      const view = this.readView(viewState);
      if (!view || !this.layers.length) return;
      const before = this.replaces;
      let other = false;
      for (const layer of this.layers) {
        if (!this.shown(layer)) continue;
        const old = layer.tree.draws || [];
        const draws = layer.tree.choose(view);
        other = other || draws.length !== old.length || draws.some((d, i) => d !== old[i]);
      }
      const cut = this.cut();
      if (other || cut || before !== this.replaces) this.scene.draw();
    }

    /** Make room for layers that cover a part only; true when what is cut has changed. */
    cut() {
      const parts = this.layers.filter((l) => !l.all && l.row.kind !== "points" && this.shown(l) && l.tree.covered);
      const key = parts.map((l) => l.row.folder).join(" ");
      if (key === this.cutKey) return false;
      this.cutKey = key;
      this.scene.cutBoxes = parts.map((l) => l.tree.root.box).map((b) => [b[0], b[1], b[3], b[4]]);
      this.scene.cut();
      return true;
    }

    readView(viewState) {
      const { deck, deckModule, spec } = this.scene;
      const now = deck && deck.getViewports()[0];
      if (!now) return null;
      const { width, height } = now;
      const viewport = viewState ? new deckModule.WebMercatorViewport({ farZMultiplier: FAR, ...viewState, width, height }) : now;
      const origin = spec.scene.origin;
      const toLocal = ([x, y, z]) => {
        const [lon, lat, h] = viewport.unprojectPosition([x, y, z]);
        return this.frame.toLocal((lon * Math.PI) / 180, (lat * Math.PI) / 180, h);
      };
      const [cx, cy, cz] = viewport.projectPosition(origin);
      const metre = viewport.projectPosition([origin[0], origin[1], origin[2] + 1])[2] - cz;
      const planes = Object.entries(viewport.getFrustumPlanes()).filter(([name]) => name !== "near").map(([, p]) => {
        // deck's planes look outward and lie in common space
        const normal = p.normal.map((v) => -v);
        const offset = -p.distance - (normal[0] * cx + normal[1] * cy + normal[2] * cz);
        return { normal, distance: offset / metre };
      });
      const ratio = this.scene.pixelRatio();
      const pixels = viewport.width * viewport.height * ratio * ratio;
      const calm = Math.max(1, Math.sqrt(pixels / MANY_PIXELS)); // on a wall of many pixels a texel may be larger
      const eye = toLocal(viewport.cameraPosition);
      const beside = BESIDE * Math.max(eye[2], 50); // a little more than is seen: the hand is quicker than the net
      for (const plane of planes) plane.distance -= beside;
      return {
        eye, planes,
        scale: (viewport.height * ratio) / calm / (2 * Math.tan(((viewport.fovy || 37) * Math.PI) / 360)),
      };
    }

    /** Layers of deck for what is chosen now. */
    build(deckModule) {
      const Layer = kit.getPhotoLayer(deckModule, window.luma);
      return this.layers.filter((l) => this.shown(l) && l.tree.draws && l.tree.draws.length).map((l) => new Layer({
        id: `tiles.${l.row.id}`,
        tiles: l.tree.draws.map((node) => node.content),
        tone: (this.scene.hours && this.scene.hours.tone) || kit.TONES[this.tone] || kit.TONES.day,
        hour: kit.hourKey(),
        opacity: this.strength,
        dot: DOT_PX * kit.uiScale() * this.scene.pixelRatio(),
        soft: this.soft,
        pickable: true,
        coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS,
        coordinateOrigin: this.scene.spec.scene.origin,
        parameters: { cullMode: "none" },
      }));
    }

    close() {
      this.closed = true;
      clearTimeout(this.timer);
      clearTimeout(this.waiting);
      for (const layer of this.layers) layer.tree.close();
      this.layers = [];
    }
  };
})();
