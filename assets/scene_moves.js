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

    /** Search, tools and bookmarks; nothing of them on a wall. */
    addTools() {
      if (!this.chrome.menu) return;
      const redo = () => this.useTool("");
      this.chrome.search = kit.addSearch(this);
      this.chrome.makeTools({ tool: (name) => this.useTool(name) }, (i) => this.link.go(i), (i) => (this.link.drop(i), redo()));
      redo();
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
      if (name === "measure") this.measure.toggle();
      if (name === "under") {
        this.state.under = !this.state.under;
        this.draw();
      }
      if (name === "keep") this.link.keep();
      if (name === "orbit" || name === "tour") {
        if (this.link.moving === name) this.link.stop();
        else this.link.run(name);
      }
      this.chrome.setTools({ measure: this.measure.on, under: Boolean(this.state.under), moving: this.link.moving, saved: this.link.saved.length });
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
