/* Scene, part 4b: markers of sources and stations: a stem, a disc in the colour of the live temperature, a glyph. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  /** How much bigger than on a desk things are: a wall scales the page's root font. */
  kit.uiScale = () => (parseFloat(getComputedStyle(document.documentElement).fontSize) || 16) / 16;

  const GLYPHS = {
    source: { x: 0, y: 0, width: 64, height: 64, mask: true },
    station: { x: 64, y: 0, width: 64, height: 64, mask: true },
  };
  let glyphs = null;
  /** A flame for a source; for a station the zigzag that stands for a heat exchanger. */
  function drawGlyphs() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [128, 64];
    const pen = canvas.getContext("2d");
    pen.fillStyle = pen.strokeStyle = "#fff";
    pen.fill(new Path2D("M32 4C36 18 50 24 50 40a18 18 0 0 1-36 0c0-8 5-12 8-18 3 4 4 7 4 10 5-7 7-16 6-28z"));
    pen.lineWidth = 8;
    pen.lineJoin = pen.lineCap = "round";
    pen.stroke(new Path2D("M70 32h10l8-18 16 36 8-18h10"));
    return canvas;
  }

  /** Markers: a stem from the ground, a disc in the colour of the live temperature, a ring when selected. */
  kit.buildMarkers = function (deckModule, scene, state) {
    const { opacity = {} } = state;
    const kindOf = (p) => (p.kind === "source" ? "sources" : "stations");
    const places = scene.places.filter((p) => state.visible[kindOf(p)] !== false && !(state.hidden && state.hidden.has(p.id)));
    const base = {
      data: places,
      coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS,
      coordinateOrigin: scene.origin,
    };
    const ink = scene.palette.marker;
    const dim = (p) => (state.selected && state.selected !== p.id ? 0.55 : 1) * (opacity[kindOf(p)] || 1);
    const ui = kit.uiScale();
    const radius = (p) => ui * (p.kind === "source" ? 12 : 7.5) * (state.selected === p.id ? 1.3 : 1);
    const triggers = { selected: [state.selected, opacity.sources, opacity.stations].join(), live: state.markerVersion };
    return [
      new deckModule.LineLayer({
        ...base,
        id: "markers.stem",
        getSourcePosition: (p) => p.ground,
        getTargetPosition: (p) => p.top,
        getColor: (p) => [...ink, 150 * dim(p)],
        getWidth: 1.2 * ui,
        widthUnits: "pixels",
        updateTriggers: { getColor: triggers.selected },
      }),
      new deckModule.ScatterplotLayer({
        ...base,
        id: "markers.ring",
        data: places.filter((p) => p.id === state.selected),
        getPosition: (p) => p.top,
        getRadius: (p) => radius(p) + 6 * ui,
        radiusUnits: "pixels",
        billboard: true,
        filled: false,
        stroked: true,
        getLineColor: [...scene.palette.accent, 255],
        getLineWidth: 2.5 * ui,
        lineWidthUnits: "pixels",
        parameters: { depthCompare: "always" },
      }),
      new deckModule.ScatterplotLayer({
        ...base,
        id: "markers",
        pickable: true,
        getPosition: (p) => p.top,
        getRadius: radius,
        radiusUnits: "pixels",
        billboard: true,
        stroked: true,
        getFillColor: (p) => [...state.markerColour(p), 255 * dim(p)],
        getLineColor: (p) => [...ink, 255 * dim(p)],
        getLineWidth: (p) => ui * (p.kind === "source" ? 2.5 : 1.6),
        lineWidthUnits: "pixels",
        parameters: { depthCompare: "always" },
        updateTriggers: {
          getFillColor: [triggers.selected, triggers.live], getLineColor: triggers.selected,
          getRadius: triggers.selected,
        },
      }),
      new deckModule.IconLayer({
        ...base,
        id: "markers.glyph",
        iconAtlas: (glyphs = glyphs || drawGlyphs()),
        iconMapping: GLYPHS,
        getIcon: (p) => p.kind,
        getPosition: (p) => p.top,
        getSize: (p) => 1.3 * radius(p),
        sizeUnits: "pixels",
        billboard: true,
        getColor: (p) => [...scene.palette.casing, 240 * (opacity[kindOf(p)] || 1)],
        parameters: { depthCompare: "always" },
        updateTriggers: { getSize: triggers.selected, getColor: triggers.selected },
      }),
    ];
  };
})();
