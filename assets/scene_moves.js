/* Scene, part 10a: what moves a stage: selection, camera, layers, tools. The stage itself builds and draws. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  kit.StageMoves = class StageMoves {
    /* --- selection */

    /** A choice made here: show it and tell the page. */
    choose(place) {
      this.setSelection(place.id, false);
      document.dispatchEvent(new CustomEvent("ct-select", {
        detail: { kind: place.kind, id: place.id, from: "scene", scene: this.host.id },
      }));
    }

    setSelection(id, fly = true) {
      const place = this.spec && this.spec.scene.places.find((p) => p.id === id);
      const next = place ? place.id : null;
      if (this.state.selected === next) return;
      this.state.selected = next;
      if (!this.labels) return;
      this.labels.select(next);
      this.draw();
      if (this.flat) this.placeLabels();
      if (place && fly && this.deck) {
        this.link.stop();
        this.moved = true;
        this.see(kit.flyTo(this.deckModule, this.view, place, this.spec.scene.origin, calm()));
      }
    }

    restoreSelection() {
      const id = this.state.selected || (CT.selection && CT.selection.id);
      this.state.selected = null;
      if (id) this.setSelection(id, false);
    }

    /* --- camera and layers */

    turnTo(change, duration = 350) {
      if (!this.deck) return;
      this.moved = true;
      this.see({
        ...this.view,
        ...change,
        transitionDuration: calm() ? 0 : duration,
        transitionInterpolator: calm() ? undefined : new this.deckModule.LinearInterpolator(),
      });
    }

    /** Move the camera; without a transition deck.gl does not report where it is. */
    see(view) {
      this.hurry();
      this.deck.setProps({ initialViewState: view });
      this.link.moved();
      if (view.transitionDuration) return;
      this.view = view;
      if (this.layerSet.stepOf(view.zoom) !== this.step) this.draw();
      if (this.photo) this.photo.look(view);
    }

    /** The first view again; from there, asked a second time, the same with north up. */
    reset() {
      const home = kit.homeView(this.deckModule, this.spec, this.box());
      const atHome = Math.abs(this.view.bearing - home.bearing) < 0.5 && Math.abs(this.view.zoom - home.zoom) < 0.05;
      this.turnTo(atHome ? kit.fitView(this.deckModule, this.spec, this.box(), home.pitch, 0) : home);
      this.moved = atHome;
    }

    show(role, shown) {
      this.state.visible = { ...this.state.visible, [role]: shown };
      if (role === "arrows") kit.hourNow.arrows = shown ? 1 : 0;
      this.draw();
      if (this.photo) this.photo.lookSoon();
      if (this.flat) this.placeLabels();
      else this.redrawSoon();
    }

    /** Fly to a place in local metres. */
    flyTo([x, y, z]) {
      if (!this.deck) return;
      const { origin } = this.spec.scene;
      const place = { lonlat: kit.toLonLat(this.deckModule, origin, x, y), ground: [x, y, z] };
      this.moved = true;
      this.see({ ...kit.flyTo(this.deckModule, this.view, place, origin, calm()), zoom: Math.max(this.view.zoom, 16.4) });
    }

    /** What lies over the picture, and its tools; on a wall without buttons nothing but what a link or a page asks for. */
    addTools() {
      const kept = this.kept || {};
      this.panel = new kit.Panel(this);
      this.choice = new kit.Choice(this);
      this.section = new kit.Section(this);
      this.shades = Object.assign(new kit.Shades(this), kept.shades);
      this.hours = Object.assign(new kit.Hours(this), kept.hours);
      if (this.chrome.menu) {
        this.chrome.search = kit.addSearch(this);
        this.chrome.makeTools({ tool: (name) => this.useTool(name) }, (i) => this.link.go(i), (i) => (this.link.drop(i), this.setToolState()));
        this.setToolState();
        this.shades.addMenu();
        this.hours.addMenu();
      }
      this.places = new kit.Places(this);
      this.parts = [this.shades, this.choice, this.section, this.places, this.hours];
      if (this.spec.scene.moments && (this.chrome.menu || this.link.time)) this.time = new kit.Timeline(this);
      if (this.time && this.link.time) this.time.go(this.link.time);
      this.hours.apply();
      if (this.shades.on) this.shades.paint();
      this.shades.drawLegend();
      this.animate();
      // a graphics card is needed: drawn by the processor, a wall that turns would leave none for the rest
      if (this.host.dataset.sceneOrbit === "1" && !this.soft && !calm()) this.link.idle();
    }

    /** Arrows of flow move where a graphics card draws them and nobody asked for calm. */
    animate() {
      cancelAnimationFrame(this.flowing);
      if (this.soft || calm()) return;
      const step = (now) => {
        if (!this.deck || !this.parts) return;
        kit.hourNow.time = (now / 1000) % 3600;
        if (this.view.zoom > 15.2 && kit.hourNow.arrows && !document.hidden) this.redrawSoon();
        this.flowing = requestAnimationFrame(step);
      };
      this.flowing = requestAnimationFrame(step);
    }

    /** Rows that are left out: inside photography of a part, and what a filter hides. */
    cut() {
      kit.cutLayers(this.layerSet.entries, this.cutBoxes || [], this.rowFilter);
    }

    /** Light a building by its row, with or without photography. */
    highlightRow(row) {
      if (!this.deck) return;
      this.pointer.footprints = this.pointer.footprints || new kit.Footprints(this.layerSet.entryOf("buildings"));
      this.highlight("building", row);
    }

    /** A tool of the menu: measure, under (see the pipes in the ground), orbit, tour, keep (a bookmark). */
    useTool(name) {
      if (!this.deck) return;
      if (name === "measure") {
        if (this.section && this.section.on) this.section.toggle(false);
        this.measure.toggle();
      }
      if (name === "section" && this.measure.on) this.measure.toggle(false);
      if (name === "under") {
        this.state.under = !this.state.under;
        this.draw();
      }
      if (name === "section") this.section.toggle();
      if (name === "box" || name === "polygon") this.choice.toggle(name);
      if (name === "keep") this.link.keep();
      if (name === "orbit" || name === "tour") {
        if (this.link.moving === name) this.link.stop();
        else this.link.run(name);
      }
      this.setToolState();
    }

    setToolState() {
      if (!this.chrome || !this.measure) return;
      this.chrome.setTools({
        measure: this.measure.on, under: Boolean(this.state.under), moving: this.link.moving, saved: this.link.saved.length,
        section: Boolean(this.section && this.section.on), drawing: this.choice && this.choice.kind,
      });
    }

    /** Opacity of a role, 0.1 to 1. */
    fade(role, opacity) {
      this.state.opacity = { ...this.state.opacity, [role]: opacity };
      this.draw();
      this.redrawSoon();
    }

    setMode(mode) {
      this.state.mode = mode;
      this.colour();
    }

    /** The catalogue has answered: its layers get their lines in the layer list. */
    onPhotoLayers() {
      if (this.chrome && this.chrome.menu) kit.addPhotoMenu(this);
    }

    /** The building under the pointer or chosen, drawn as a body over the photograph. */
    highlight(key, row) {
      if (this.state[key] === row) return;
      this.state[key] = row;
      this.draw();
    }
  };
})();
