/* Scene, part 10: one box with its picture: one persistent deck.gl instance, from mount to unmount. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const RETRY_MS = 10000;
  const AGES_MS = 5000;
  const HASTY = 0.5; // of the resolution, while the camera moves and no graphics card draws
  const STILL_MS = 400;
  const SLOWEST_MS = 1500;
  const MOST_PIXELS = { hard: 3840 * 2160, soft: 1920 * 1200 }; // of the drawing buffer, with a graphics card and without
  const stats = (kit.stats = { mounts: 0, contexts: 0, updates: 0, lastUpdateMs: 0, lastLiveMs: 0, firstPictureMs: 0, readyAt: 0 });

  const root = () => document.documentElement;

  kit.Stage = class Stage extends kit.StageMoves {
    constructor(host) {
      super();
      this.host = host;
      this.lang = host.dataset.sceneLang || root().dataset.lang || (root().lang || "zh").slice(0, 2);
      this.theme = host.dataset.sceneTheme || root().dataset.theme || "dark";
      this.state = { visible: { nodes: false, valves: false, sensors: false, borders: false }, opacity: {}, mode: null, selected: null, markerVersion: 0 };
      this.state.markerColour = (place) => place.colour || this.spec.scene.palette.none;
      this.ready = false;
      this.moved = false;
      this.view = null;
      this.started = performance.now();
      this.link = new kit.Link(this);
      stats.mounts += 1;
      this.resize = new ResizeObserver(() => this.onResize());
      this.clock = setInterval(() => this.refreshAges(), AGES_MS);
      this.mount();
    }

    async mount() {
      const turn = (this.turn = (this.turn || 0) + 1);
      try {
        const spec = await kit.loadSpec(this.lang, this.theme, this.host.dataset.scene);
        const webgl = kit.probeWebGL();
        const [packs, picture, deckModule] = await Promise.all([
          kit.loadPacks(spec.scene.buffers),
          webgl ? kit.loadPicture(spec.scene.pictures.far) : null,
          kit.loadRenderer(spec.scene.renderer),
        ]);
        if (turn !== this.turn || !this.host.isConnected) return;
        await kit.settled(this.host);
        if (turn !== this.turn || !this.host.isConnected) return;
        this.clear();
        this.spec = spec;
        this.texts = spec.scene.texts;
        this.state.mode = this.state.mode || spec.scene.mode;
        for (const p of spec.scene.places) p.label = kit.placeName(p, spec.scene.lang);
        this.deckModule = deckModule;
        this.builtScale = kit.uiScale();
        this.layerSet = new kit.LayerSet(deckModule, spec, packs, { far: picture }, webgl && webgl.soft);
        this.host.dataset.scenePainted = this.theme;
        this.painter = new kit.Painter(this);
        this.pointer = new kit.Pointer(this);
        this.addChrome();
        if (webgl) this.addDeck(webgl.soft);
        else this.addFlatMap(packs);
        this.tables = await kit.loadTables(spec.scene.tables);
        if (turn !== this.turn) return;
        if (webgl) this.addTools();
        this.colour();
      } catch (error) {
        console.warn("scene:", error);
        if (turn !== this.turn || !this.host.isConnected) return;
        this.notice("failed");
        setTimeout(() => turn === this.turn && this.host.isConnected && this.mount(), RETRY_MS);
      }
    }

    /** Addresses of the buildings, when somebody asks for one; without them names are searched alone. */
    async readAddresses() {
      this.addresses = await kit.loadTables(this.spec.scene.addresses).catch(() => null);
    }

    /** The finer picture of the town comes after the first picture. */
    async refine() {
      const { layerSet, spec } = this;
      if (!spec.scene.pictures.near) return;
      const near = await kit.loadPicture(spec.scene.pictures.near).catch(() => null);
      if (!near || layerSet !== this.layerSet) return;
      layerSet.pictures.near = near;
      this.draw();
    }

    /** One sentence over the picture; before the first spec the box itself carries the words (CSS). */
    notice(key) {
      if (this.chrome) this.chrome.setNote(key ? this.texts[key] : "");
      else if (key === "failed") this.host.dataset.sceneState = key;
    }

    addChrome() {
      const on = (name) => this.host.dataset[name] !== "0";
      this.chrome = new kit.Chrome(this.host, this.texts, this.state, {
        reset: () => this.reset(),
        tilt: () => this.turnTo({ pitch: this.view.pitch < 5 ? this.spec.initialViewState.pitch : 0 }),
        zoom: (step) => this.turnTo({ zoom: this.view.zoom + step * 0.7 }),
        show: (role, shown) => this.show(role, shown),
        mode: (mode) => this.setMode(mode),
        fade: (role, opacity) => this.fade(role, opacity),
      }, { controls: on("sceneControls"), legend: on("sceneLegend") });
      this.names = new kit.MapNames(this.host, this.spec.scene.names, this.spec.scene.lang);
      this.labels = new kit.Labels(this.host, this.spec.scene.places, this.spec.scene.lang, (p) => this.choose(p));
      this.host.append(this.chrome.root);
    }

    addFlatMap(packs) {
      this.host.dataset.sceneState = "flat";
      this.flat = new kit.FlatMap(this.host, this.spec, packs);
      this.chrome.setNote(this.texts.no_webgl);
      if (this.chrome.buttons) this.chrome.buttons.hidden = true;
      this.painter.readLive();
      this.colour();
      this.restoreSelection();
      this.resize.observe(this.host);
      this.setReady();
    }

    addDeck(soft) {
      this.soft = soft;
      this.painter.drawLegend();
      this.measure = new kit.Measure(this);
      const home = kit.homeView(this.deckModule, this.spec, this.box());
      const linked = this.keptView ? null : this.link.start(home);
      this.moved = this.moved || Boolean(linked);
      this.view = this.keptView || linked || home;
      this.keptView = null;
      this.deck = new this.deckModule.Deck({
        parent: this.host,
        width: "100%",
        height: "100%",
        views: new this.deckModule.MapView({ controller: this.spec.views[0].controller, farZMultiplier: kit.FAR }),
        initialViewState: this.view,
        useDevicePixels: this.pixelRatio(),
        pickingRadius: 5,
        deviceProps: { type: "webgl", ...(soft ? { webgl: { antialias: false } } : {}) }, // four samples a pixel double its time
        layerFilter: ({ layer }) => !(this.hasty && layer.id.includes(".hidden")),
        effects: [this.makeLight()],
        layers: [],
        getCursor: ({ isDragging, isHovering }) => (isDragging ? "grabbing" : isHovering ? "pointer" : "grab"),
        onDeviceInitialized: (device) => this.onDevice(device),
        onViewStateChange: ({ viewState, interactionState }) => {
          this.view = viewState;
          this.hurry();
          if (this.layerSet.stepOf(viewState.zoom) !== this.step) this.draw();
          if (this.photo) this.photo.look(viewState);
          this.link.moved();
          if (interactionState && (interactionState.isDragging || interactionState.isZooming || interactionState.isPanning)) {
            this.moved = true;
            this.link.stop();
          }
        },
        onAfterRender: () => this.onRendered(),
        onHover: (info) => this.pointer.hover(info),
        onError: (error) => console.warn("scene:", error),
      });
    }

    /** The room the picture has. On a phone the legend takes the lower edge for itself. */
    box() {
      const { clientWidth: width, clientHeight: height } = this.host;
      const legend = this.chrome.legend;
      const below = legend && width < 700 ? legend.offsetHeight + 36 : 0;
      const bar = this.time && !this.time.root.hidden && width < 1024 ? this.time.root.offsetHeight + 12 : 0;
      return { width: width || 1280, height: height || 720, below: Math.min(below + bar, height / 3) };
    }

    makeLight() {
      const d = this.deckModule;
      const { sun, lights } = this.spec.scene;
      return new d.LightingEffect({
        ambient: new d.AmbientLight({ color: [255, 255, 255], intensity: lights.ambient }),
        sun: new d.DirectionalLight({
          color: lights.colour, intensity: lights.sun, direction: sun.map((v) => -v), _shadow: false,
        }),
      });
    }

    onDevice(device) {
      stats.contexts += 1;
      this.layerSet.attach(device);
      this.painter.readLive();
      this.colour();
      this.restoreSelection();
      if (this.spec.scene.tiles) this.photo = new kit.Photo(this, this.soft);
      this.draw();
      this.resize.observe(this.host);
      const canvas = this.deck.getCanvas();
      this.pointer.listen(canvas);
      canvas.addEventListener("webglcontextlost", (event) => {
        event.preventDefault();
        this.onLost();
      });
    }

    /** The driver took the context away: keep the view, say so, build anew. */
    onLost() {
      if (!this.host.isConnected) return;
      this.chrome.setNote(this.texts.lost);
      this.ready = false;
      this.keptView = this.view;
      setTimeout(() => this.host.isConnected && this.mount(), 400);
    }

    /** Without a graphics card the picture is coarser while the camera moves, so that it follows the hand. */
    hurry() {
      if (!this.soft || !this.ready) return;
      if (!this.hasty) {
        this.hasty = true;
        this.deck.setProps({ useDevicePixels: this.pixelRatio() });
      }
      const now = performance.now();
      this.pace = Math.min(now - (this.hurried || 0), SLOWEST_MS); // a picture may take longer than the hand rests
      this.hurried = now;
      clearTimeout(this.rest);
      this.rest = setTimeout(() => this.calmDown(), Math.max(STILL_MS, 2 * this.pace));
    }

    calmDown() {
      this.hasty = false;
      if (!this.deck) return;
      this.deck.setProps({ useDevicePixels: this.pixelRatio() });
      this.draw(); // what is measured in pixels (points of a cloud) is measured anew
      this.redrawSoon();
    }

    pixelRatio() {
      const { clientWidth: w, clientHeight: h } = this.host;
      const most = this.soft ? MOST_PIXELS.soft : MOST_PIXELS.hard;
      const ratio = Math.min(window.devicePixelRatio || 1, Math.sqrt(most / Math.max(w * h, 1)));
      return Math.max(ratio * (this.hasty ? HASTY : 1), 0.25);
    }

    draw() {
      if (this.flat) this.flat.draw(this.layerSet, this.state.visible);
      if (!this.deck) return;
      this.step = this.layerSet.stepOf(this.view.zoom);
      const { deckModule, photo, state } = this;
      const mode = photo && photo.replaces ? { solid: photo.strength >= 1, glass: Boolean(state.under), tint: Boolean(state.visible.tint) || Boolean(this.shades && this.shades.on) } : null;
      const layers = this.layerSet.build(state, this.view.zoom, mode);
      this.drawn = [
        ...(photo ? photo.build(deckModule) : []), ...layers,
        ...kit.buildHighlight(deckModule, this), ...this.measure.build(deckModule),
        ...(this.parts || []).flatMap((part) => part.build(deckModule)),
      ];
      this.drawMarkers();
    }

    /** Markers alone anew; all other layers are the objects they were, and deck.gl passes over them. */
    drawMarkers() {
      if (this.flat) this.draw();
      if (!this.deck || !this.drawn) return;
      this.deck.setProps({ layers: [...this.drawn, ...kit.buildMarkers(this.deckModule, this.spec.scene, this.state)] });
    }

    /** One frame for any number of changes. */
    redrawSoon() {
      if (!this.deck || this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        if (this.deck) this.deck.redraw("scene");
      });
    }

    onRendered() {
      const viewport = this.deck.getViewports()[0];
      if (!viewport) return;
      this.placeLabels(viewport);
      this.chrome.setCamera(this.view, viewport.metersPerPixel);
      const layers = this.deck.layerManager ? this.deck.layerManager.getLayers() : [];
      if (!this.ready && layers.length && layers.every((l) => l.isLoaded)) this.setReady();
    }

    setReady() {
      this.ready = true;
      this.notice(this.flat ? "no_webgl" : "");
      if (!this.flat) this.host.dataset.sceneState = "ready";
      if (!this.flat) this.refine();
      stats.readyAt = stats.readyAt || performance.now();
      stats.firstPictureMs = stats.firstPictureMs || performance.now() - this.started;
      document.dispatchEvent(new CustomEvent("ct-scene-ready", { detail: { id: this.host.id } }));
    }

    project(point) {
      if (this.flat) return this.flat.project(point);
      const viewport = this.deck.getViewports()[0];
      const { origin } = this.spec.scene;
      if (!point.lonlat) {
        const [lon, lat] = viewport.addMetersToLngLat([origin[0], origin[1], 0], [point[0], point[1], 0]);
        point.lonlat = [lon, lat, origin[2] + point[2]];
      }
      return viewport.project(point.lonlat);
    }

    placeLabels() {
      const { clientWidth: width, clientHeight: height } = this.host;
      this.taken = this.taken || this.chrome.rectangles(this.host);
      const project = (p) => this.project(p);
      const boxes = this.labels.place(project, width, height, this.taken, this.state.visible);
      const zoom = this.flat ? 13 : this.view.zoom;
      this.names.place(project, width, height, boxes, this.state.visible, zoom);
    }

    /** Colours from the latest answer of the twin; the camera and the geometry stay as they are. */
    colour() {
      const began = performance.now();
      const shown = this.time && this.time.shown; // another time is in the picture: live answers wait
      this.painter.colour(shown ? shown.network : kit.lastNetwork || CT.network || null, this.tables);
      if (this.flat) this.draw();
      else this.redrawSoon();
      stats.updates += 1;
      stats.lastUpdateMs = performance.now() - began;
    }

    /** Labels and markers from the live values. */
    readLive() {
      const began = performance.now();
      this.painter.readLive();
      stats.lastLiveMs = performance.now() - began;
    }

    refreshAges() {
      if (!this.chrome) return;
      this.readLive();
      this.painter.drawLegend();
    }

    onResize() {
      this.taken = null;
      if (!this.host.clientWidth || !this.host.clientHeight) return;
      if (this.flat) {
        this.draw();
        this.placeLabels();
        return;
      }
      if (!this.deck) return;
      if (kit.uiScale() !== this.builtScale) return void this.change({});
      const props = { useDevicePixels: this.pixelRatio() };
      if (!this.moved) {
        this.view = kit.homeView(this.deckModule, this.spec, this.box());
        props.initialViewState = this.view;
      }
      this.deck.setProps(props);
      if (this.photo) this.photo.lookSoon();
    }

    async change(what) {
      Object.assign(this, what);
      if (this.hours) this.kept = { hours: { hour: this.hours.hour, snow: this.hours.snow }, shades: { mode: this.shades.mode, heat: this.shades.heat, custom: this.shades.custom } };
      if (this.time) this.link.time = this.time.t;
      if (this.deck) this.keptView = this.moved ? this.view : null;
      await this.mount();
    }

    clear() {
      this.ready = this.hasty = false;
      clearTimeout(this.rest);
      for (const part of [this.time, ...(this.parts || [])]) if (part && part.close) part.close();
      this.parts = this.time = this.hours = this.shades = this.section = this.choice = this.places = this.panel = null;
      if (this.photo) this.photo.close();
      if (this.deck) this.deck.finalize();
      if (this.layerSet) this.layerSet.destroy();
      for (const part of [this.chrome, this.labels, this.names, this.flat]) if (part) part.remove();
      for (const canvas of this.host.querySelectorAll("canvas")) canvas.remove();
      this.photo = this.deck = this.drawn = this.layerSet = this.chrome = this.labels = this.names = this.flat = this.taken = null;
    }

    unmount() {
      this.turn += 1;
      clearInterval(this.clock);
      this.link.close();
      this.resize.disconnect();
      this.clear();
    }
  };
})();
