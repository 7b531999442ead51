/* Scene, part 2a: shader extensions: pipes beside their line with arrows of flow, walls with floors and lit windows,
   and the hour: tone of light and snow on what lies open to the sky. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const STOREY_M = 3;
  const STILL = 128; // alpha of a pipe's colour that says: water stands; 255: not known
  const FASTEST_M_S = 2.5;

  /** What the shaders read each frame: light of the hour, snow 0..1, night 0..1, arrows 0 or 1, seconds. */
  kit.hourNow = { tone: [1, 1, 1, 1], snow: 0, night: 0, arrows: 1, time: 0 };

  kit.hourModule = {
    name: "hour",
    vs: "",
    fs: `uniform hourUniforms {
        vec4 tone;
        float snow;
        float night;
        float arrows;
        float time;
      } hour;
      float hour_grey(vec3 rgb) { return dot(rgb, vec3(0.30, 0.59, 0.11)); }
      vec3 hour_light(vec3 rgb) { return mix(vec3(hour_grey(rgb)), rgb, hour.tone.a) * hour.tone.rgb; }
      vec3 hour_white(vec3 rgb, float open) {
        float g = hour_grey(rgb);
        return mix(rgb, vec3(0.80, 0.83, 0.87) + 0.22 * (g - 0.4), hour.snow * open);
      }
      float hour_dice(vec3 cell) { return fract(sin(dot(cell, vec3(12.9898, 78.233, 37.719))) * 43758.5453); }
      float hour_lit(vec3 place) { return hour.night * step(0.55, hour_dice(floor(place / vec3(3.1, 3.1, ${STOREY_M}.0)))); }
      const vec3 HOUR_LAMP = vec3(1.0, 0.80, 0.48);
    `,
    uniformTypes: { tone: "vec4<f32>", snow: "f32", night: "f32", arrows: "f32", time: "f32" },
  };

  /** Speed of one kg/s in a pipe, m/s. */
  kit.speedPerKg = (diameter_m) => 1 / (970 * 0.785398 * diameter_m * diameter_m);

  /** Alpha that tells a pipe's shader how the water moves: `m_s` signed along the pipe. */
  kit.flowAlpha = function (m_s) {
    if (m_s - m_s !== 0) return 255;
    const speed = m_s < 0 ? -m_s : m_s;
    if (speed < 0.003) return STILL;
    const steps = Math.round(Math.min(8 + (speed / FASTEST_M_S) * 92, 100));
    return m_s < 0 ? STILL - steps : STILL + steps;
  };

  let extensions = null;
  /** Made when deck is there, because they derive from its class. */
  kit.getExtensions = function (deck) {
    if (extensions) return extensions;

    /** Ground, streets, trees: all of them are open to the sky. */
    class HourExtension extends deck.LayerExtension {
      getShaders() {
        return { modules: [kit.hourModule], inject: { "fs:DECKGL_FILTER_COLOR": "color.rgb = hour_light(hour_white(color.rgb, 0.86));" } };
      }

      draw() {
        this.setShaderModuleProps({ hour: kit.hourNow });
      }
    }
    HourExtension.extensionName = "HourExtension";

    /** Draws a path beside its line, `offset` widths to the right (negative: left), with a dark rim and arrows. */
    class SideOffsetExtension extends HourExtension {
      getShaders(extension) {
        const k = extension.opts.offset;
        const wide = (2 * Math.abs(k) + 1).toFixed(4);
        const side = Math.sign(k).toFixed(1);
        const rim = extension.opts.rim.map((c) => (c / 255).toFixed(4)).join(", ");
        return {
          modules: [kit.hourModule],
          inject: {
            "vs:DECKGL_FILTER_SIZE": `size *= ${wide};`,
            "vs:#decl": "out float vFlow;\nout float vLong;",
            "vs:#main-end": `
              vPathPosition.x = (vPathPosition.x + ${side}) * ${wide} - (${side});
              vPathPosition.y *= ${wide};
              vPathLength *= ${wide};
              vLong = vPathLength;
              vFlow = instanceColors.a * 255.0;
              vColor.a = layer.opacity;`,
            "fs:#decl": "in float vFlow;\nin float vLong;",
            "fs:#main-start": "if (abs(vPathPosition.x) > 1.0) discard;",
            "fs:DECKGL_FILTER_COLOR": `
              float beside = abs(geometry.uv.x);
              float flow = (vFlow - ${STILL}.0) / 100.0;
              float bold = 1.0 - smoothstep(0.25, 0.5, fwidth(geometry.uv.x));
              if (hour.arrows > 0.5 && vFlow < 240.0 && abs(flow) > 0.02 && bold > 0.0 && vLong > 5.0) {
                float count = max(floor(vLong / 15.0 + 0.5), 1.0);
                float pitch = vLong / count;
                float at = (fract(geometry.uv.y / pitch - flow * hour.time * 0.6) - 0.5) * pitch;
                float arm = abs(at + sign(flow) * (1.2 * beside - 0.6));
                float ink = bold * (1.0 - smoothstep(0.42, 0.62, arm)) * step(beside, 0.72);
                color.rgb = mix(color.rgb, vec3(${rim}), 0.78 * ink);
              }
              color.rgb = mix(color.rgb, vec3(${rim}), 0.85 * smoothstep(0.66, 0.98, beside));`,
          },
        };
      }
    }
    SideOffsetExtension.extensionName = "SideOffsetExtension";

    /** Walls darken towards the ground, and near by show their floors: depth and scale without real shadows. At night
        windows are lit. An alpha of 254 marks walls without windows. */
    class FacadeExtension extends HourExtension {
      getShaders() {
        return {
          modules: [kit.hourModule],
          inject: {
            "vs:#decl": "out float vWall;\nout vec3 vPlace;\nout float vRoof;",
            "vs:#main-end": `
              vWall = -1.0;
              vRoof = 1.0;
              vPlace = geometry.worldPosition;
              #ifdef IS_SIDE_VERTEX
              vRoof = 0.0;
              vWall = vColor.a > 0.998 ? positions.y * elevations : -1.0;
              vColor.rgb *= mix(0.50, 0.92, positions.y);
              #endif`,
            "fs:#decl": "in float vWall;\nin vec3 vPlace;\nin float vRoof;",
            "fs:DECKGL_FILTER_COLOR": `
              color.rgb = hour_light(hour_white(color.rgb, 0.9 * vRoof));
              if (vWall >= 0.0) {
                float floors = vWall / ${STOREY_M.toFixed(2)};
                float fine = 1.0 - smoothstep(0.12, 0.45, fwidth(floors));
                float sill = smoothstep(0.16, 0.30, abs(fract(floors) - 0.5));
                color.rgb *= mix(1.0, mix(0.70, 1.06, sill), fine);
                float lit = hour_lit(vec3(vPlace.xy, vWall));
                color.rgb = mix(color.rgb, HOUR_LAMP, lit * mix(0.30, 0.85 * (1.0 - sill), fine));
              }`,
          },
        };
      }
    }
    FacadeExtension.extensionName = "FacadeExtension";

    extensions = { HourExtension, SideOffsetExtension, FacadeExtension };
    return extensions;
  };
})();
