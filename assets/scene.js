/* The 3D scene. Finds boxes with `data-scene`, puts a stage in each, and speaks with the page through events on
   `document`: ct-network, ct-live, ct-select, ct-theme, ct-lang (docs/scene.md). */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const LIVE_MS = 250; // live values are read at most this often
  const scenes = new Map();
  const root = () => document.documentElement;

  function scan() {
    for (const [host, scene] of scenes) {
      if (!host.isConnected) {
        scene.unmount();
        scenes.delete(host);
      }
    }
    for (const host of document.querySelectorAll("[data-scene]")) {
      if (!scenes.has(host)) scenes.set(host, new kit.Stage(host));
    }
  }

  const first = () => scenes.values().next().value;
  const each = (act) => scenes.forEach((scene) => scene.spec && act(scene));

  function listen() {
    document.addEventListener("ct-network", (event) => {
      kit.lastNetwork = event.detail;
      each((s) => s.layerSet && s.colour());
    });
    let waiting = null;
    document.addEventListener("ct-live", () => {
      waiting = waiting || setTimeout(() => {
        waiting = null;
        each((s) => s.chrome && s.readLive());
      }, LIVE_MS);
    });
    document.addEventListener("ct-select", (event) => {
      const detail = event.detail || {};
      each((s) => detail.scene !== s.host.id && s.setSelection(typeof detail === "string" ? detail : detail.id || null));
    });
    document.addEventListener("ct-theme", (event) => {
      const theme = (event.detail && event.detail.theme) || event.detail || root().dataset.theme;
      scenes.forEach((s) => s.theme !== theme && s.change({ theme }));
    });
    document.addEventListener("ct-lang", (event) => {
      const lang = (event.detail && event.detail.lang) || event.detail || root().lang;
      scenes.forEach((s) => s.lang !== lang && s.change({ lang }));
    });
    new MutationObserver(scan).observe(document.body, { childList: true, subtree: true });
    scan();
  }

  CT.scene = {
    get ready() { return Boolean(first() && first().ready); },
    get deck() { return first() && first().deck; },
    get camera() { return first() && first().view; },
    get stats() { return kit.stats; },
    get spec() { return first() && first().spec; },
    get stage() { return first(); },
    tiles: () => first() && first().photo && first().photo.report(),
    pick: (x, y) => first() && first().pointer.pick(x, y),
    rows: (layer) => first() && Array.from(first().layerSet.rowsOf(layer)),
    project: (point) => first() && first().project(point.slice()).slice(0, 2),
    setSelection: (id) => first() && first().setSelection(id),
  };

  // The other parts are scripts of their own: begin when all of them have run.
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    listen();
  };
  if (document.readyState === "complete") setTimeout(begin);
  document.addEventListener("DOMContentLoaded", begin);
  window.addEventListener("load", begin);
})();
