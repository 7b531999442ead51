/* Scene, part 5: what stands around the picture: buttons, layer list, legend, north arrow, scale, hover card. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

  const ICONS = {
    north: '<path d="M12 3l4.5 16L12 15.5 7.5 19z" fill="currentColor" stroke="none"/>',
    flat: '<rect x="4" y="4" width="16" height="16" rx="1.5"/><path d="M4 12h16M12 4v16"/>',
    tilt: '<path d="M7 6h10l4 12H3z"/><path d="M5 12h14M12 6v12"/>',
    plus: '<path d="M12 5v14M5 12h14"/>',
    minus: '<path d="M5 12h14"/>',
    layers: '<path d="M12 4l9 5-9 5-9-5z"/><path d="M3.5 13.5L12 18l8.5-4.5"/>',
  };
  const GROUPS = {
    network: ["supply", "return", "arrows", "nodes", "valves"], sites: ["sources", "stations", "sensors"],
    town: ["buildings", "roads", "water", "trees"], words: ["labels", "names", "borders"],
  };
  const NO_FADE = new Set(["labels", "names", "arrows"]);
  const ROLES = { supply: "pipes.supply", return: "pipes.return" };
  const MODES = ["temperature", "pressure", "flow"];

  function makeButton(icon, title, onClick) {
    const button = kit.element("button", "ct-scene-button", { type: "button", title, "aria-label": title });
    button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[icon]}</svg>`;
    button.addEventListener("click", onClick);
    return button;
  }

  /** Length for the scale bar: 1, 2 or 5 times a power of ten, at most `limit`. */
  function roundLength(limit) {
    const power = 10 ** Math.floor(Math.log10(limit));
    return [5, 2, 1].map((s) => s * power).find((v) => v <= limit) || power;
  }

  kit.Chrome = class Chrome {
    constructor(host, texts, state, act, options) {
      this.texts = texts;
      this.state = state;
      this.root = kit.element("div", "ct-scene-chrome");
      host.append(this.root);
      if (options.controls) this.addControls(act);
      if (options.legend) this.addLegend();
      this.scaleBar = kit.element("div", "ct-scene-scale-bar");
      this.scaleText = kit.element("span", "ct-scene-scale-text");
      this.root.append(kit.element("div", "ct-scene-scale", {}, this.scaleText, this.scaleBar));
      this.card = kit.element("div", "ct-scene-card", { role: "tooltip", hidden: "" });
      this.note = kit.element("p", "ct-scene-note", { role: "status", hidden: "" });
      this.root.append(this.card, this.note);
    }

    addControls(act) {
      const t = this.texts;
      this.needle = makeButton("north", t.reset, act.reset);
      this.tiltButton = makeButton("flat", t.flat, act.tilt);
      this.layerButton = makeButton("layers", t.layers, () => this.toggleMenu());
      this.layerButton.setAttribute("aria-expanded", "false");
      this.buttons = kit.element("div", "ct-scene-buttons", {},
        this.needle, this.tiltButton, makeButton("plus", t.zoom_in, () => act.zoom(1)),
        makeButton("minus", t.zoom_out, () => act.zoom(-1)), this.layerButton);
      this.menu = this.makeMenu(act);
      this.root.append(this.buttons, this.menu);
    }

    makeMenu(act) {
      const t = this.texts;
      const menu = kit.element("div", "ct-scene-menu", { hidden: "" });
      menu.append(kit.element("p", "ct-scene-menu-title", {}, t.layers));
      for (const [group, names] of Object.entries(GROUPS)) {
        menu.append(kit.element("details", "ct-scene-group", { open: "" },
          kit.element("summary", "ct-scene-menu-title", {}, t[`group_${group}`]), ...names.map((name) => this.makeLine(name, act))));
      }
      menu.append(kit.element("p", "ct-scene-menu-title", {}, t.colour_by));
      for (const mode of MODES) {
        const radio = kit.element("input", "", { type: "radio", name: "ct-scene-mode", value: mode });
        radio.checked = this.state.mode === mode;
        radio.addEventListener("change", () => act.mode(mode));
        menu.append(kit.element("label", "", {}, radio, t[mode]));
      }
      menu.addEventListener("keydown", (e) => {
        if (e.key === "Escape") this.toggleMenu(false);
      });
      return menu;
    }

    /** One layer of the list: shown or not, and how strongly. */
    makeLine(name, act) {
      const t = this.texts;
      const role = ROLES[name] || name;
      const box = kit.element("input", "", { type: "checkbox", name });
      box.checked = this.state.visible[role] !== false;
      box.addEventListener("change", () => act.show(role, box.checked));
      const line = kit.element("label", "", {}, box, kit.element("span", "", {}, t[name] || t.boundaries));
      if (NO_FADE.has(name)) return line;
      const range = kit.element("input", "ct-scene-fade", { type: "range", min: "0.1", max: "1", step: "0.1", "data-layer": name, "aria-label": `${t[name] || t.boundaries} ${t.opacity}`, title: t.opacity });
      range.value = String(this.state.opacity[role] || 1);
      range.addEventListener("input", () => act.fade(role, Number(range.value)));
      range.addEventListener("keydown", (e) => e.stopPropagation());
      line.append(range);
      return line;
    }

    /** Buttons of the tools, their state and the bookmarks. */
    makeTools(act, go, drop) {
      const t = this.texts;
      this.tools = {};
      const row = kit.element("div", "ct-scene-tools");
      for (const name of ["measure", "section", "box", "polygon", "under", "orbit", "tour", "keep"]) {
        const button = kit.element("button", "ct-scene-tool", { type: "button", name, "aria-pressed": "false" }, t[`tool_${name}`]);
        button.addEventListener("click", () => act.tool(name));
        this.tools[name] = button;
        row.append(button);
      }
      this.savedRow = kit.element("div", "ct-scene-tools");
      this.goSaved = go;
      this.dropSaved = drop;
      this.menu.append(kit.element("p", "ct-scene-menu-title", {}, t.tools), row, this.savedRow);
    }

    setTools({ measure, under, moving, saved, section, drawing }) {
      if (!this.tools) return;
      const on = { measure, section, box: drawing === "box", polygon: drawing === "polygon", under, orbit: moving === "orbit", tour: moving === "tour", keep: false };
      for (const [name, button] of Object.entries(this.tools)) button.setAttribute("aria-pressed", String(on[name]));
      this.tools.tour.disabled = !saved;
      this.savedRow.replaceChildren(...Array.from({ length: saved }, (_, i) => {
        const button = kit.element("button", "ct-scene-tool", { type: "button", title: this.texts.saved_hint }, `${this.texts.saved} ${i + 1}`);
        button.addEventListener("click", (e) => (e.altKey ? this.dropSaved(i) : this.goSaved(i)));
        return button;
      }));
    }

    toggleMenu(open = this.menu.hidden) {
      this.menu.hidden = !open;
      this.layerButton.setAttribute("aria-expanded", String(open));
      if (!open) this.layerButton.focus();
    }

    addLegend() {
      this.legend = kit.element("div", "ct-scene-legend");
      this.root.append(this.legend);
    }

    /** Rows below the legend of the pipes: what colours the buildings. */
    setShade(rows) {
      this.shade = rows.length ? kit.element("div", "ct-scene-legend-shade", {}, ...rows) : null;
      const old = this.legend.querySelector(".ct-scene-legend-shade");
      if (old) old.remove();
      if (this.shade) this.legend.append(this.shade);
    }

    /** `rows`: [{label, ramp, domain, decimals}], `unit`, `age` text, `gaps` whether grey is in the picture. Returns whether
        the legend may take another room now; as a rule only its age changes. */
    setLegend({ title, rows, unit, age, gaps, none, empty }) {
      if (!this.legend) return false;
      const t = this.texts;
      const said = empty ? t.no_network : `${t.simulated} · ${age}`;
      const key = JSON.stringify([title, rows.map((r) => r.domain), unit, Boolean(gaps)]);
      const old = this.legendAge && this.legendAge.textContent;
      if (key === this.legendKey && this.legendShade === this.shade) {
        if (old !== said) this.legendAge.textContent = said;
        return old.length !== said.length;
      }
      this.legendKey = key;
      this.legendShade = this.shade;
      this.legendAge = kit.element("span", "ct-scene-legend-age", {}, said);
      this.legend.replaceChildren(kit.element("p", "ct-scene-legend-title", {}, title, this.legendAge));
      for (const row of rows) {
        if (!row.domain) continue;
        const bar = kit.element("span", "ct-scene-legend-bar");
        bar.style.background = kit.cssRamp(row.ramp);
        this.legend.append(kit.element("div", "ct-scene-legend-row", {},
          kit.element("span", "ct-scene-legend-label", {}, row.label),
          kit.element("span", "ct-scene-legend-number", {}, kit.formatNumber(row.domain[0], row.decimals)),
          bar,
          kit.element("span", "ct-scene-legend-number", {}, kit.formatNumber(row.domain[1], row.decimals)),
          kit.element("span", "ct-scene-legend-unit", {}, unit)));
      }
      if (gaps) {
        const swatch = kit.element("span", "ct-scene-legend-swatch");
        swatch.style.background = `rgb(${none})`;
        this.legend.append(kit.element("div", "ct-scene-legend-row", {}, swatch, t.no_answer));
      }
      if (this.shade) this.legend.append(this.shade);
      return true;
    }

    setCamera(view, metresPerPixel) {
      if (this.needle) {
        this.needle.firstElementChild.style.transform = `rotate(${-view.bearing}deg)`;
        const flat = view.pitch < 5;
        const title = flat ? this.texts.tilt : this.texts.flat;
        if (this.tiltButton.title !== title) {
          this.tiltButton.title = title;
          this.tiltButton.setAttribute("aria-label", title);
          this.tiltButton.firstElementChild.innerHTML = ICONS[flat ? "tilt" : "flat"];
        }
      }
      const length = roundLength(120 * kit.uiScale() * metresPerPixel);
      this.scaleBar.style.width = `${length / metresPerPixel}px`;
      this.scaleText.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
    }

    showCard(x, y, title, rows, width, height) {
      const list = rows.map(([label, value, after]) => {
        const dd = kit.element("dd", "", {}, value);
        if (after) dd.append(kit.element("span", "ct-scene-card-after", {}, after));
        return [kit.element("dt", "", {}, label), dd];
      });
      this.card.replaceChildren(kit.element("p", "ct-scene-card-title", {}, title),
        kit.element("dl", "", {}, ...list.flat()));
      this.card.hidden = false;
      const { offsetWidth: w, offsetHeight: h } = this.card;
      const left = x + 16 + w > width ? x - 16 - w : x + 16;
      const top = Math.min(Math.max(y - h / 2, 4), height - h - 4);
      this.card.style.transform = `translate(${Math.round(Math.max(left, 4))}px, ${Math.round(top)}px)`;
    }

    hideCard() {
      this.card.hidden = true;
    }

    setNote(text) {
      this.note.hidden = !text;
      this.note.textContent = text || "";
    }

    /** Rectangles that labels keep out of, relative to the host. */
    rectangles(host) {
      const from = host.getBoundingClientRect();
      return [this.buttons, this.legend, this.menu, this.search, this.timeBar, this.panel, this.root.querySelector(".ct-scene-scale")]
        .filter((node) => node && !node.hidden)
        .map((node) => node.getBoundingClientRect())
        .map((r) => [r.left - from.left - 4, r.top - from.top - 4, r.right - from.left + 4, r.bottom - from.top + 4]);
    }

    remove() {
      this.root.remove();
    }
  };
})();
