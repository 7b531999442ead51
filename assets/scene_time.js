/* Scene, part 21: the time line. Replays the last day from the store and shows the simulated next one; live updates
   pause meanwhile and come back with one click. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const NOW_S = 240; // nearer recorded moments are the present
  const STEP_S = 600;
  const KEPT = 60;
  const WAIT_MS = 90;
  const PLAY_MS = 650;
  const AGAIN_MS = 60000;

  /** A moment as /scene/moment.bin sends it (app/web/scene_routes.py). */
  kit.readMoment = function (buffer) {
    const view = new DataView(buffer);
    if (view.getUint32(0, false) !== 0x43544d4f) throw new Error("not a moment");
    const length = view.getUint32(4, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    let at = 8 + length;
    const next = (n) => {
      const out = new Float32Array(buffer, at, n);
      at += 4 * n;
      return out;
    };
    let network = null;
    if (head.nodes) {
      network = { t: head.state_t, tSupply: next(head.nodes), tReturn: next(head.nodes), pSupply: next(head.nodes),
        pReturn: next(head.nodes), massFlow: next(head.pipes), tPipe: next(head.pipes) };
    }
    const rooms = next(head.buildings);
    return { ...head, network, rooms, measured: new Uint8Array(buffer, at, head.buildings) };
  };

  kit.loadMoment = async function (t) {
    const response = await fetch(`/scene/moment.bin${t ? `?t=${t}` : ""}`, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`moment.bin: ${response.status}`);
    return kit.readMoment(await response.arrayBuffer());
  };

  const now = () => (CT.now ? CT.now() : Date.now() / 1000);

  /** State of the shown time; `t` null: live. */
  kit.Timeline = class Timeline {
    constructor(scene) {
      this.scene = scene;
      this.times = { past: [], ahead: [] };
      this.kept = new Map();
      this.shown = null; // the moment in the picture; null: live
      this.t = null;
      this.draw();
      this.refresh();
      this.clock = setInterval(() => this.refresh(), AGAIN_MS);
    }

    async refresh() {
      try {
        const response = await fetch("/scene/time.json", { credentials: "same-origin" });
        if (!response.ok) throw new Error(String(response.status));
        this.times = await response.json();
        this.root.hidden = false;
      } catch {
        if (!this.times.past.length && !this.t) this.root.hidden = true; // a page without a store behind it
      }
      this.scene.taken = null;
      this.scale();
      this.say();
    }

    draw() {
      const { texts, chrome } = this.scene;
      const button = (name, text, act) => {
        const b = kit.element("button", `ct-scene-time-${name}`, { type: "button" }, text);
        b.addEventListener("click", act);
        return b;
      };
      this.play = button("play", "▶", () => this.toggle());
      this.play.title = texts.time_play;
      this.play.setAttribute("aria-label", texts.time_play);
      this.slider = kit.element("input", "ct-scene-time-slider", { type: "range", step: "1", "aria-label": texts.time, title: texts.time_hint });
      this.slider.addEventListener("input", () => this.stop(this.nearest(now() + STEP_S * Number(this.slider.value))));
      this.slider.addEventListener("keydown", (e) => this.key(e));
      this.badge = kit.element("span", "ct-scene-time-badge");
      this.text = kit.element("span", "ct-scene-time-text", { role: "status" });
      this.back = button("back", texts.time_back, () => this.live(true));
      this.root = kit.element("div", "ct-scene-time", { role: "group", "aria-label": texts.time },
        this.play, this.slider, this.badge, this.text, this.back);
      this.root.hidden = true;
      chrome.root.append(this.root);
      chrome.timeBar = this.root;
    }

    /** Stops: all moments in order, with the present (null) between. The slider itself counts ten minutes from now. */
    scale() {
      const at = now();
      this.stops = [...this.times.past.filter((t) => t < at - NOW_S), null, ...this.times.ahead.filter((t) => t > at + 60)];
      const steps = (t) => (t === null || t === undefined ? 0 : Math.round((t - at) / STEP_S));
      this.slider.min = String(Math.min(steps(this.stops[0]), -1));
      this.slider.max = String(Math.max(steps(this.stops[this.stops.length - 1]), 1));
      this.slider.value = String(steps(this.t));
      const share = (0 - this.slider.min) / (this.slider.max - this.slider.min);
      this.slider.style.setProperty("--now", `${(100 * share).toFixed(1)}%`);
    }

    /** Which stop is nearest to a time. */
    nearest(t) {
      const at = now();
      const far = this.stops.map((s) => Math.abs((s === null ? at : s) - t));
      return far.indexOf(Math.min(...far));
    }

    stop(index) {
      const t = this.stops[Math.min(Math.max(index, 0), this.stops.length - 1)];
      if (t === null) this.live();
      else this.go(t);
    }

    /** Which stop is shown now. */
    get index() {
      return this.t === null ? this.stops.indexOf(null) : this.nearest(this.t);
    }

    key(event) {
      event.stopPropagation(); // arrows move the time here, not the map
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -6, PageUp: 6 }[event.key];
      const home = event.key === "Home" || event.key === "Escape";
      if (!by && !home) return;
      event.preventDefault();
      if (home) this.live(true);
      else this.stop(this.index + by);
    }

    toggle() {
      if (this.playing) return this.pause();
      if (this.index >= this.stops.length - 1) this.stop(0);
      this.play.textContent = "❚❚";
      this.play.title = this.scene.texts.time_pause;
      const tick = async () => {
        if (this.index >= this.stops.length - 1) return this.pause();
        this.stop(this.index + 1);
        await this.loading;
        if (this.playing) this.playing = setTimeout(tick, PLAY_MS);
        return undefined;
      };
      this.playing = setTimeout(tick, 0);
      return undefined;
    }

    pause() {
      clearTimeout(this.playing);
      this.playing = null;
      this.play.textContent = "▶";
      this.play.title = this.scene.texts.time_play;
    }

    /** Show a moment; the last one asked for wins. */
    go(t) {
      this.t = t;
      if (document.activeElement !== this.slider || !this.slider.matches(":active")) this.scale();
      this.say();
      this.scene.link.moved(true);
      clearTimeout(this.waiting);
      this.loading = new Promise((done) => {
        this.waiting = setTimeout(async () => {
          await this.show(t);
          done();
        }, this.kept.has(t) ? 0 : WAIT_MS);
      });
    }

    async show(t) {
      try {
        if (!this.kept.has(t)) this.kept.set(t, await kit.loadMoment(t));
        if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
        if (this.t !== t || this.closed) return;
        this.shown = this.kept.get(t);
      } catch (error) {
        console.warn("scene:", error.message);
        if (this.t === t) this.shown = { t, kind: t < now() ? "past" : "ahead", values: {}, network: null, rooms: null, lost: true };
      }
      this.adopt();
    }

    /** Back to live values; a replay that passes the present goes on. */
    live(stop = false) {
      if (stop) this.pause();
      clearTimeout(this.waiting);
      const was = this.t !== null;
      this.t = null;
      this.shown = null;
      this.scale();
      if (was) this.scene.link.moved(true);
      this.adopt();
    }

    /** Colours, labels, light and overlays follow the shown time; others may listen (`ct-time`). */
    adopt() {
      const { scene } = this;
      if (!scene.painter) return;
      scene.painter.readLive();
      scene.colour();
      if (scene.shades) scene.shades.setRooms(this.shown);
      if (scene.hours && scene.hours.hour === "auto") scene.hours.apply();
      this.say();
      document.dispatchEvent(new CustomEvent("ct-time", { detail: { t: this.t, kind: this.kind } }));
    }

    get kind() {
      if (this.t === null) return "now";
      return this.shown && this.shown.t === this.t ? this.shown.kind : this.t < now() ? "past" : "ahead";
    }

    say() {
      const { texts } = this.scene;
      const { kind } = this;
      this.root.dataset.kind = kind;
      this.badge.textContent = texts[`time_${kind}`];
      this.back.hidden = kind === "now";
      const zone = CT.meta && CT.meta() ? { timeZone: CT.meta().timezone } : {};
      const day = new Date((this.t || now()) * 1000).toLocaleString(this.scene.lang === "en" ? "en-GB" : "zh-CN", {
        month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false, ...zone,
      });
      const hours = this.t === null ? 0 : (this.t - now()) / 3600;
      const far = Math.abs(hours) < 0.05 ? "" : (hours < 0 ? texts.hours_back : texts.hours_on).replace("{n}", kit.formatNumber(Math.abs(hours), 1));
      const parts = [day, far];
      const m = this.shown;
      const out = m && m.outdoor && m.values[m.outdoor[0]];
      if (Number.isFinite(out)) parts.push(`${texts.outdoor} ${kit.formatNumber(out, 1)} °C`);
      if (m && !m.network) parts.push(texts.time_none);
      const text = parts.filter(Boolean).join(" · ");
      this.text.textContent = text;
      this.slider.setAttribute("aria-valuetext", `${texts[`time_${kind}`]} ${text}`);
    }

    /** Value of a point at the shown moment: {value, age, stale} or null. Ahead there are simulated ones only. */
    valueOf(place, key) {
      const m = this.shown;
      if (!m || m.t === undefined) return null;
      let value = NaN;
      if (m.kind === "ahead") {
        const side = key.endsWith("ts") ? "tSupply" : key.endsWith("tr") ? "tReturn" : "";
        if (side && m.network && place.node >= 0) value = m.network[side][place.node];
      } else {
        value = m.values[place.points[key]];
      }
      return Number.isFinite(value) ? { value, age: NaN, stale: false } : null;
    }

    close() {
      this.closed = true;
      this.pause();
      clearTimeout(this.waiting);
      clearInterval(this.clock);
    }
  };
})();
