/* Scene, part 18: search by name: stations, sources, buildings, streets, villages; a choice flies there. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const MOST = 8;

  /** Everything that has a name: {text, at: [x, y, z], place?, row?}. */
  function listTargets(scene) {
    const { spec, tables, layerSet } = scene;
    const out = spec.scene.places.map((p) => ({ text: p.label, at: p.ground, place: p }));
    for (const n of spec.scene.names) {
      const text = spec.scene.lang === "en" ? n.name_en || n.name : n.name;
      out.push({ text, at: n.spots[0].slice(0, 3) });
    }
    const entry = layerSet.entryOf("buildings");
    const v = entry.props.data.attributes.getPolygon.value;
    if (tables) entry.row.forEach((row, k) => {
      const s = 3 * entry.props.data.startIndices[k];
      if (tables.buildings.name[row]) out.push({ text: tables.buildings.name[row], at: [v[s], v[s + 1], v[s + 2]], row });
    });
    return out;
  }

  /** Targets whose name holds the words; those that begin with them first, short ones before long ones. */
  kit.findTargets = function (targets, words) {
    const wanted = words.trim().toLowerCase();
    if (!wanted) return [];
    return targets
      .map((t) => ({ t, at: t.text.toLowerCase().indexOf(wanted) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => (a.at > 0) - (b.at > 0) || a.t.text.length - b.t.text.length)
      .slice(0, MOST)
      .map(({ t }) => t);
  };

  kit.addSearch = function (scene) {
    const { texts } = scene;
    const input = kit.element("input", "ct-scene-search-input", { type: "search", placeholder: texts.search, "aria-label": texts.search, maxlength: "60" });
    const list = kit.element("div", "ct-scene-search-list", { role: "listbox", hidden: "" });
    let targets = null;
    const choose = (target) => {
      list.hidden = true;
      input.value = target.text;
      if (target.place) return scene.setSelection(target.place.id), scene.choose(target.place);
      if (target.row !== undefined) scene.highlightRow(target.row);
      return scene.flyTo(target.at);
    };
    const show = () => {
      targets = targets || listTargets(scene);
      const found = kit.findTargets(targets, input.value);
      list.replaceChildren(...found.map((t) => {
        const row = kit.element("button", "ct-scene-search-row", { type: "button", role: "option" }, t.text);
        row.addEventListener("click", () => choose(t));
        return row;
      }));
      list.hidden = !found.length;
      return found;
    };
    input.addEventListener("input", show);
    input.addEventListener("keydown", (e) => {
      e.stopPropagation(); // the keys of the map are letters here
      if (e.key === "Enter") {
        const [first] = show();
        if (first) choose(first);
      } else if (e.key === "Escape") list.hidden = true;
    });
    const box = kit.element("div", "ct-scene-search", {}, input, list);
    scene.chrome.root.append(box);
    return box;
  };
})();
