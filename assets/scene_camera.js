/* Scene, part 3: the camera. Fits the hull of the network into whatever shape the screen has. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

  const SIDE_ROOM = 0.05;
  const BOTTOM_ROOM = 0.07;

  /** Degrees of a place in local metres: the viewport's own metre offsets, so layers and camera agree. */
  kit.toLonLat = function (deck, origin, x, y) {
    const viewport = new deck.WebMercatorViewport({ width: 1, height: 1, longitude: origin[0], latitude: origin[1], zoom: 12 });
    return viewport.addMetersToLngLat([origin[0], origin[1], 0], [x, y, 0]);
  };

  /**
   * View state that shows every point of `focus.hull`; pitch and bearing are given.
   * `below`: pixels at the bottom that something else covers.
   */
  kit.fitView = function (deck, spec, { width, height, below = 0 }, pitch, bearing) {
    const { origin, focus } = spec.scene;
    const above = focus.above * (width > height ? 1 : 0.5); // labels stand above their place
    const start = { ...spec.initialViewState, width, height, pitch, bearing };
    const points = focus.hull.map(([x, y, z]) => [...kit.toLonLat(deck, origin, x, y).slice(0, 2), origin[2] + z]);
    const bounds = (view) => {
      const viewport = new deck.WebMercatorViewport(view);
      let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
      let behind = false;
      for (const p of points) {
        const [px, py, depth] = viewport.project(p);
        behind = behind || !(depth >= -1 && depth <= 1);
        left = Math.min(left, px);
        right = Math.max(right, px);
        top = Math.min(top, py);
        bottom = Math.max(bottom, py);
      }
      return { viewport, left, top, right, bottom, behind };
    };
    const roomX = width * (1 - 2 * SIDE_ROOM);
    const bottom = Math.max(BOTTOM_ROOM * height, below);
    const roomY = height * (1 - above) - bottom;
    let view = { ...start, zoom: 11 };
    // In perspective size and centre depend on each other: small steps settle both to a pixel, and a step that
    // leaves places behind the camera is taken back.
    for (let round = 0; round < 40; round++) {
      const b = bounds(view);
      const grow = Math.min(roomX / Math.max(b.right - b.left, 1), roomY / Math.max(b.bottom - b.top, 1));
      const step = b.behind ? -0.7 : Math.min(Math.max(0.9 * Math.log2(grow), -0.5), 0.5);
      view = { ...view, zoom: Math.min(Math.max(view.zoom + step, start.minZoom), 17) };
      if (b.behind) continue;
      const at = [(b.left + b.right) / 2, (b.top + b.bottom) / 2 - (above * height - bottom) / 2];
      const [longitude, latitude] = b.viewport.unproject(at, { targetZ: origin[2] });
      if (!Number.isFinite(longitude) || !Number.isFinite(latitude)) continue;
      view.longitude += 0.7 * (longitude - view.longitude);
      view.latitude += 0.7 * (latitude - view.latitude);
    }
    const { width: _w, height: _h, ...clean } = view;
    return clean;
  };

  /**
   * The first view. A valley town is long and narrow: laid a little across the screen it stands larger and its
   * labels further apart. Turning away from the given bearing must pay for itself in size; on an upright
   * screen the long axis may run up the screen altogether.
   */
  kit.homeView = function (deck, spec, box) {
    const { bearing } = spec.scene.focus;
    const upright = box.height > 1.15 * box.width;
    const pitch = spec.initialViewState.pitch - (upright ? 8 : 0);
    const turns = upright ? [0, 60, -60, 90, -90] : [0, 12, -12, 24, -24];
    const worth = upright ? 400 : 130; // degrees of turn that are worth one doubling in size
    const views = turns.map((turn) => {
      const view = kit.fitView(deck, spec, box, pitch, bearing + turn);
      return { view, score: view.zoom - Math.abs(view.bearing) / worth };
    });
    return views.reduce((best, next) => (next.score > best.score ? next : best)).view;
  };

  /** Fly to a place; keeps the bearing. */
  kit.flyTo = function (deck, view, place, origin, calm) {
    return {
      ...view,
      longitude: place.lonlat[0],
      latitude: place.lonlat[1],
      position: [0, 0, origin[2] + place.ground[2]],
      zoom: Math.max(view.zoom, 15.6),
      transitionDuration: calm ? 0 : 900,
      transitionInterpolator: calm
        ? undefined
        : new deck.LinearInterpolator({ transitionProps: ["longitude", "latitude", "zoom", "pitch", "bearing", "position"] }),
      transitionEasing: (t) => 1 - (1 - t) ** 3,
    };
  };
})();
