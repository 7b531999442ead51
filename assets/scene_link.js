/* Scene, part 16: the camera and the choice in the address (#view=...), so that a copied link shows the same picture;
   bookmarks kept in the browser; a slow orbit and a tour of the bookmarks for the wall. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const STORE = "ct-scene-views";
  const MOST = 12;
  const WRITE_MS = 600;
  const ORBIT_DEG_S = 1.6;
  const STAY_MS = 12000;
  const FLIGHT_MS = 4000;
  const IDLE_MS = 90000;
  const LIMITS = [[-180, 180], [-85, 85], [9, 19], [0, 78], [-360, 360]];

  /** A view and a choice as text: longitude, latitude, zoom, pitch, bearing, and what is chosen. */
  kit.writeView = (view, selected, time) => {
    const n = (v, d) => Number(v).toFixed(d);
    const parts = [n(view.longitude, 6), n(view.latitude, 6), n(view.zoom, 2), n(view.pitch, 1), n(view.bearing, 1)];
    return `view=${parts.join(",")}${selected ? `&at=${encodeURIComponent(selected)}` : ""}${time ? `&time=${Math.round(time)}` : ""}`;
  };

  /** Read such a text; null where it is none or leaves the bounds. */
  kit.readView = (text) => {
    const query = new URLSearchParams(text.replace(/^#/, ""));
    const numbers = (query.get("view") || "").split(",").map(Number);
    const good = numbers.length === 5 && numbers.every((v, i) => v >= LIMITS[i][0] && v <= LIMITS[i][1]);
    if (!good) return null;
    const [longitude, latitude, zoom, pitch, bearing] = numbers;
    const time = Number(query.get("time"));
    return { longitude, latitude, zoom, pitch, bearing, selected: query.get("at"), time: time > 1e9 && time < 1e11 ? time : null };
  };

  function readStore() {
    try {
      const rows = JSON.parse(localStorage.getItem(STORE) || "[]");
      return Array.isArray(rows) ? rows.filter((t) => typeof t === "string" && kit.readView(t)).slice(0, MOST) : [];
    } catch {
      return [];
    }
  }

  kit.Link = class Link {
    constructor(scene) {
      this.scene = scene;
      this.saved = readStore();
      this.moving = null;
    }

    /** The view of the address, laid over `home`; null where the address names none. */
    start(home) {
      const found = kit.readView(location.hash);
      if (!found) return null;
      const { selected, time, ...view } = found;
      if (selected) this.scene.state.selected = selected;
      this.time = time;
      return { ...home, ...view };
    }

    /** The camera has moved: write it down when it rests. Only one that a person has moved is worth an address. */
    moved(asked = false) {
      this.asked = this.asked || asked;
      clearTimeout(this.writing);
      this.writing = setTimeout(() => this.write(), WRITE_MS);
    }

    write() {
      const { scene } = this;
      if (!(scene.moved || this.asked) || this.moving || !scene.view || !scene.host.isConnected) return;
      history.replaceState(history.state, "", `${location.pathname}${location.search}#${kit.writeView(scene.view, scene.state.selected, scene.time && scene.time.t)}`);
    }

    keep() {
      this.saved = [...this.saved, kit.writeView(this.scene.view, this.scene.state.selected)].slice(-MOST);
      try {
        localStorage.setItem(STORE, JSON.stringify(this.saved));
      } catch {
        // a browser that keeps nothing: the bookmarks live as long as the page
      }
    }

    drop(index) {
      this.saved = this.saved.filter((_, i) => i !== index);
      try {
        localStorage.setItem(STORE, JSON.stringify(this.saved));
      } catch {
        // as above
      }
    }

    go(index, duration = 900) {
      const { selected, time: _time, ...view } = kit.readView(this.saved[index]);
      this.scene.turnTo(view, duration);
      if (selected) this.scene.setSelection(selected, false);
    }

    /** Turn slowly around the middle of the picture, or fly from bookmark to bookmark, until told to stop. */
    run(kind) {
      this.stop();
      this.moving = kind;
      if (kind === "tour") return this.tour(0);
      let last = performance.now();
      const turn = (now) => {
        if (this.moving !== "orbit" || !this.scene.deck) return;
        const seconds = Math.min((now - last) / 1000, 1);
        last = now;
        const { view } = this.scene;
        this.scene.see({ ...view, bearing: ((view.bearing + 180 + seconds * ORBIT_DEG_S) % 360) - 180, transitionDuration: 0 });
        this.frame = requestAnimationFrame(turn);
      };
      this.frame = requestAnimationFrame(turn);
    }

    tour(index) {
      if (this.moving !== "tour" || !this.saved.length) return this.stop();
      this.go(index % this.saved.length, FLIGHT_MS);
      this.timer = setTimeout(() => this.tour(index + 1), FLIGHT_MS + STAY_MS);
    }

    /** On a wall: turn when nothing was touched or chosen for so long; what stops it begins the wait anew. */
    idle(after = IDLE_MS) {
      this.after = after;
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.moving || this.run("orbit"), after);
    }

    stop() {
      cancelAnimationFrame(this.frame);
      clearTimeout(this.timer);
      this.moving = null;
      if (this.after) this.idle(this.after);
    }

    close() {
      this.after = 0;
      clearTimeout(this.waiting);
      this.stop();
      clearTimeout(this.writing);
    }
  };
})();
