/* Scene, part 20: the hour and the weather of the picture: day, dusk, night with lit windows and street lights, snow. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const DRAWN = { // red, green, blue factors and what is left of the colour
    day: [1, 1, 1, 1], dusk: [0.84, 0.72, 0.70, 0.86], night: [0.40, 0.46, 0.60, 0.66],
  };
  const PHOTO = { day: [1, 1, 1, 1], dusk: [0.80, 0.70, 0.68, 0.82], night: [0.26, 0.32, 0.46, 0.52] };
  const DARK_OF = { day: 0, dusk: 0.35, night: 1 };
  const HOURS = ["plain", "auto", "day", "dusk", "night"];
  const RAD = Math.PI / 180;

  /** Height of the sun in degrees at a place and time (s since 1970), to a quarter of a degree. */
  kit.sunHeight = function (t, lon, lat) {
    const d = t / 86400 - 10957.5; // days since the noon of 1 January 2000
    const g = (357.529 + 0.98560028 * d) * RAD;
    const q = 280.459 + 0.98564736 * d;
    const l = (q + 1.915 * Math.sin(g) + 0.02 * Math.sin(2 * g)) * RAD;
    const tilt = 23.439 * RAD;
    const ascent = Math.atan2(Math.cos(tilt) * Math.sin(l), Math.cos(l));
    const decline = Math.asin(Math.sin(tilt) * Math.sin(l));
    const turn = (280.46061837 + 360.98564736629 * d + lon) * RAD - ascent;
    return Math.asin(Math.sin(lat * RAD) * Math.sin(decline) + Math.cos(lat * RAD) * Math.cos(decline) * Math.cos(turn)) / RAD;
  };

  const blend = (a, b, f) => a.map((v, i) => v + (b[i] - v) * f);

  /** Light between day (sun above 8 degrees), dusk (at 0) and night (below -8). */
  kit.lightAt = function (table, height) {
    const f = Math.min(Math.max(height / 8, -1), 1);
    return f >= 0 ? blend(table.dusk, table.day, f) : blend(table.dusk, table.night, -f);
  };

  /** Changes when the shaders must be told anew. */
  kit.hourKey = () => `${kit.hourNow.snow} ${kit.hourNow.night.toFixed(3)}`;

  kit.Hours = class Hours {
    constructor(scene) {
      this.scene = scene;
      this.hour = "plain";
      this.snow = false;
      this.glow = null;
    }

    set(change) {
      Object.assign(this, change);
      this.apply();
    }

    /** Write what the shaders read; the picture is drawn anew. */
    apply() {
      const { scene } = this;
      const now = kit.hourNow;
      const plain = this.hour === "plain";
      const [lon, lat] = scene.spec.scene.origin;
      const height = kit.sunHeight(scene.time ? scene.time.t : Date.now() / 1000, lon, lat);
      const pick = (table) => (this.hour === "auto" ? kit.lightAt(table, height) : table[this.hour]);
      now.tone = plain ? [1, 1, 1, 1] : pick(DRAWN);
      now.night = plain ? 0 : this.hour === "auto" ? kit.lightAt({ day: [0], dusk: [0.35], night: [1] }, height)[0] : DARK_OF[this.hour];
      now.snow = this.snow ? 1 : 0;
      this.tone = plain ? kit.TONES[scene.spec.scene.tone] || kit.TONES.day : pick(PHOTO);
      scene.draw();
      scene.redrawSoon();
    }

    /** Street lights, by night. */
    build(deckModule) {
      const { scene } = this;
      const { night } = kit.hourNow;
      if (night < 0.3 || !scene.tables.lamps || scene.view.zoom < 13) return [];
      const places = (this.places = this.places || new Float32Array(scene.tables.lamps.at));
      const on = Math.round(255 * Math.min(night, 1));
      return [new deckModule.IconLayer({
        id: "lamps",
        data: { length: places.length / 3, attributes: { getPosition: { value: places, size: 3 } } },
        coordinateSystem: deckModule.COORDINATE_SYSTEM.METER_OFFSETS,
        coordinateOrigin: scene.spec.scene.origin,
        iconAtlas: (this.glow = this.glow || drawGlow()),
        iconMapping: { glow: { x: 0, y: 0, width: 64, height: 64, mask: false } },
        getIcon: () => "glow",
        getSize: 22,
        sizeUnits: "meters",
        sizeMinPixels: 3 * kit.uiScale(),
        sizeMaxPixels: 90,
        billboard: true,
        opacity: on / 255,
        parameters: { depthWriteEnabled: false, blendColorSrcFactor: "src-alpha", blendColorDstFactor: "one" },
      })];
    }

    /** Lines of the layer list. */
    addMenu() {
      const { chrome, texts } = this.scene;
      const box = kit.element("div", "ct-scene-menu-hours");
      box.append(kit.element("p", "ct-scene-menu-title", {}, texts.hour));
      const row = kit.element("div", "ct-scene-menu-row");
      for (const hour of HOURS) {
        const radio = kit.element("input", "", { type: "radio", name: "ct-scene-hour", value: hour });
        radio.checked = this.hour === hour;
        radio.addEventListener("change", () => this.set({ hour }));
        row.append(kit.element("label", "", {}, radio, texts[`hour_${hour}`] || texts[hour]));
      }
      const snow = kit.element("input", "", { type: "checkbox", name: "snow" });
      snow.checked = this.snow;
      snow.addEventListener("change", () => this.set({ snow: snow.checked }));
      box.append(row, kit.element("label", "", {}, snow, texts.snow));
      chrome.menu.append(box);
    }
  };

  /** A soft warm disc with a bright middle. */
  function drawGlow() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const pen = canvas.getContext("2d");
    const light = pen.createRadialGradient(32, 32, 0, 32, 32, 32);
    light.addColorStop(0, "rgba(255,232,190,0.95)");
    light.addColorStop(0.12, "rgba(255,205,130,0.55)");
    light.addColorStop(0.45, "rgba(255,180,100,0.14)");
    light.addColorStop(1, "rgba(255,170,90,0)");
    pen.fillStyle = light;
    pen.fillRect(0, 0, 64, 64);
    return canvas;
  }
})();
