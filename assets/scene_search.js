/* Scene, part 18: search by name, address or number: stations, sources, buildings, streets, villages, waters, pipes; a
   choice flies there. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const MOST = 8;
  const LENS = '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5"/></svg>';

  /** One way to write: full-width letters and figures, capitals and spaces make no difference. */
  const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, "");

  /** Everything that has a name: {text, more, keys, at: [x, y, z], place?, row?}; `keys` is what is searched. */
  function listTargets(scene) {
    const { spec, tables, addresses, layerSet, texts } = scene;
    const english = spec.scene.lang === "en";
    const out = [];
    const add = (text, more, extra) => out.push({ text, more, keys: [text, more, extra.id || ""].map(plain), ...extra });
    for (const p of spec.scene.places) add(p.label, texts[p.kind], { id: p.id, at: p.ground, place: p });
    for (const n of spec.scene.names) {
      const more = n.kind === "street" ? texts.street : n.kind === "water" ? texts.water : texts.place_word;
      add((english && n.name_en) || n.name, more, { at: n.spots[0].slice(0, 3) });
    }
    if (!tables) return out;
    for (const { row, at } of kit.buildingSpots(layerSet.entryOf("buildings"))) {
      const [name, id, address] = [tables.buildings.name[row], tables.buildings.id[row], (addresses || [])[row] || ""];
      add(name || address || id, name ? address : "", { id, at, row });
    }
    for (const side of ["supply", "return"]) {
      const entry = layerSet.entryOf(`pipes.${side}`);
      const { startIndices: s, attributes } = entry.props.data;
      entry.row.forEach((row, k) => {
        const m = 3 * Math.floor((s[k] + s[k + 1] - 1) / 2);
        add(tables.pipes.id[row], texts[`pipe_${side}`], { at: Array.from(attributes.getPath.value.slice(m, m + 3)) });
      });
    }
    return out;
  }

  /** How well keys hold the words: 0 best; -1 not at all. Whole, from the beginning, anywhere; then word by word. */
  function rank(keys, wanted, parts) {
    if (keys.some((k) => k === wanted)) return 0;
    if (keys.some((k) => k.startsWith(wanted))) return 1;
    if (keys.some((k) => k.includes(wanted))) return 2;
    return parts.length > 1 && parts.every((p) => keys.some((k) => k.includes(p))) ? 3 : -1;
  }

  /** Targets whose name, address or number holds the words: the closest first, short ones before long ones. */
  kit.findTargets = function (targets, words) {
    const wanted = plain(words);
    if (!wanted) return [];
    const parts = words.normalize("NFKC").toLowerCase().match(/\d+|[^\d\s]+/g) || [];
    return targets
      .map((t) => ({ t, at: rank(t.keys || [plain(t.text)], wanted, parts) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at || a.t.text.length + (a.t.more || "").length - b.t.text.length - (b.t.more || "").length)
      .slice(0, MOST)
      .map(({ t }) => t);
  };

  kit.addSearch = function (scene) {
    const { texts } = scene;
    const input = kit.element("input", "ct-scene-search-input", { type: "search", placeholder: texts.search, "aria-label": texts.search, maxlength: "60" });
    const list = kit.element("div", "ct-scene-search-list", { role: "listbox", hidden: "" });
    let [targets, known] = [null, null];
    const choose = (target) => {
      list.hidden = true;
      box.classList.remove("is-open");
      input.value = target.text;
      if (target.place) return scene.setSelection(target.place.id), scene.choose(target.place);
      if (target.row !== undefined) scene.highlightRow(target.row);
      return scene.flyTo(target.at);
    };
    const makeRow = (t) => {
      const row = kit.element("button", "ct-scene-search-row", { type: "button", role: "option" }, t.text);
      if (t.more) row.append(kit.element("span", "ct-scene-search-more", {}, t.more));
      row.addEventListener("click", () => choose(t));
      return row;
    };
    const show = () => {
      if (!targets || known !== scene.addresses) targets = listTargets(scene);
      known = scene.addresses;
      const found = kit.findTargets(targets, input.value);
      const none = kit.element("p", "ct-scene-search-none", {}, texts.search_none.replace("{words}", input.value.trim()));
      list.replaceChildren(...(found.length ? found.map(makeRow) : [none]));
      list.hidden = !input.value.trim();
      return found;
    };
    input.addEventListener("focus", () => scene.readAddresses());
    input.addEventListener("input", show);
    input.addEventListener("keydown", (e) => {
      e.stopPropagation(); // the keys of the map are letters here
      if (e.key === "Enter") {
        scene.readAddresses().then(() => {
          const [first] = show();
          if (first) choose(first);
        });
      } else if (e.key === "Escape") list.hidden = true;
    });
    const open = kit.element("button", "ct-scene-search-open", { type: "button", title: texts.search, "aria-label": texts.search });
    open.innerHTML = LENS;
    open.addEventListener("click", () => {
      box.classList.add("is-open");
      input.focus();
    });
    const box = kit.element("div", "ct-scene-search", {}, open, input, list);
    box.addEventListener("focusout", (e) => {
      if (!box.contains(e.relatedTarget)) box.classList.remove("is-open"); // matters on a phone only: it shrinks to its button
    });
    scene.chrome.root.append(box);
    return box;
  };
})();
