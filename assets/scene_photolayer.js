/* Scene, part 14a: the layer that draws tiles: one model per part of a tile, unlit: a photograph, plain colours or points;
   toned by the hour, windows lit at night, snow on what looks up. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

  // red, green, blue factors and what is left of the colour
  kit.TONES = { day: [1, 1, 1, 1], calm: [0.80, 0.82, 0.85, 0.84] };

  const BLOCK = `uniform photoUniforms {
    vec4 tone;
    float opacity;
    float textured;
    float dot;
    vec4 colour;
  } photo;
  `;
  const PHOTO = { name: "photo", vs: BLOCK, fs: BLOCK, uniformTypes: { tone: "vec4<f32>", opacity: "f32", textured: "f32", dot: "f32", colour: "vec4<f32>" } };
  const VS = `#version 300 es
    #define SHADER_NAME photo-vs
    in vec3 positions;
    in vec2 texCoords;
    in vec4 colours;
    out vec2 vUv;
    out vec4 vColor;
    out vec3 vPlace;
    out vec4 vOwn;
    void main(void) {
      geometry.worldPosition = positions;
      geometry.uv = texCoords;
      geometry.pickingColor = vec3(1.0, 0.0, 0.0);
      vUv = texCoords;
      vOwn = colours;
      vPlace = positions;
      gl_Position = project_position_to_clipspace(positions, vec3(0.0), vec3(0.0), geometry.position);
      gl_PointSize = photo.dot;
      DECKGL_FILTER_GL_POSITION(gl_Position, geometry);
      vColor = vec4(1.0);
      DECKGL_FILTER_COLOR(vColor, geometry);
    }`;
  // Windows of a photograph are its dark places on walls: those are lit at night, some homes and not others.
  const FS = `#version 300 es
    #define SHADER_NAME photo-fs
    precision highp float;
    uniform sampler2D picture;
    in vec2 vUv;
    in vec4 vColor;
    in vec3 vPlace;
    in vec4 vOwn;
    out vec4 fragColor;
    void main(void) {
      vec3 rgb = photo.colour.rgb * vOwn.rgb * mix(vec3(1.0), texture(picture, vUv).rgb, photo.textured);
      float grey = hour_grey(rgb);
      vec3 across = cross(dFdx(vPlace), dFdy(vPlace));
      float up = photo.dot > 0.0 ? 1.0 : abs(across.z) / max(length(across), 1e-9);
      vec3 shown = hour_white(rgb, 0.88 * smoothstep(0.45, 0.8, up));
      shown = mix(vec3(hour_grey(shown)), shown, photo.tone.a) * photo.tone.rgb;
      float pane = (1.0 - smoothstep(0.16, 0.34, up)) * (1.0 - smoothstep(0.30, 0.46, grey)) * step(photo.dot, 0.0);
      shown = mix(shown, HOUR_LAMP, 0.8 * hour_lit(vPlace) * pane);
      fragColor = vec4(shown, photo.opacity);
      DECKGL_FILTER_COLOR(fragColor, geometry);
    }`;

  let PhotoLayer = null;
  /** The layer's class; made when deck is there, because it derives from its class. */
  kit.getPhotoLayer = function (deck, luma) {
    if (PhotoLayer) return PhotoLayer;
    PhotoLayer = class extends deck.Layer {
      initializeState() {
        this.setState({ blank: this.context.device.createTexture({ width: 1, height: 1, data: new Uint8Array([255, 255, 255, 255]), format: "rgba8unorm" }) });
      }

      getShaders() {
        return super.getShaders({ vs: VS, fs: FS, modules: [deck.project32, deck.picking, kit.hourModule, PHOTO] });
      }

      getNumInstances() {
        return 1;
      }

      getModels() {
        if (this.gone) return []; // the models belong to the tiles, not to this layer
        return this.props.tiles.flatMap((content) => this.modelsOf(content));
      }

      modelsOf(content) {
        if (!content.models) content.models = content.parts.map((part) => this.makeModel(part, content));
        return content.models;
      }

      makeTexture(part, content) {
        const { device } = this.context;
        const texture = device.createTexture({
          width: part.picture.width, height: part.picture.height, data: part.picture, format: "rgba8unorm",
          mipLevels: device.getMipLevelCount(part.picture.width, part.picture.height),
          sampler: { minFilter: "linear", magFilter: "linear", mipmapFilter: "linear", maxAnisotropy: this.props.soft ? 1 : 8,
            addressModeU: part.wrap, addressModeV: part.wrap },
        });
        texture.copyExternalImage({ image: part.picture });
        texture.generateMipmapsWebGL();
        content.textures.push(texture);
        return texture;
      }

      makeModel(part, content) {
        const texture = part.picture ? this.makeTexture(part, content) : this.state.blank;
        const attributes = { positions: { value: part.places, size: 3 }, texCoords: { value: part.uv, size: 2 } };
        const layout = [{ name: "positions", format: "float32x3" }, { name: "texCoords", format: "float32x2" }];
        if (part.colours) {
          attributes.colours = { value: part.colours, size: 4, normalized: true };
          layout.push({ name: "colours", format: "unorm8x4" });
        }
        const model = new luma.Model(this.context.device, {
          ...this.getShaders(), id: `photo-${content.id}`, bufferLayout: layout,
          geometry: new luma.Geometry({
            topology: part.points ? "point-list" : "triangle-list", attributes,
            ...(part.points ? { vertexCount: part.places.length / 3 } : { indices: { value: part.indices, size: 1 } }),
          }),
          bindings: { picture: texture },
          // one colour for all where the vertices have none of their own
          ...(part.colours ? {} : { constantAttributes: { colours: new Float32Array([1, 1, 1, 1]) } }),
        });
        model.points = part.points;
        model.shaderInputs.setProps({ photo: { textured: part.picture ? 1 : 0, colour: part.colour } });
        return model;
      }

      draw() {
        const { tone, opacity, tiles, dot } = this.props;
        for (const content of tiles) {
          for (const model of this.modelsOf(content)) {
            model.shaderInputs.setProps({ photo: { tone, opacity, dot: model.points ? dot : 0 }, hour: kit.hourNow });
            model.draw(this.context.renderPass);
          }
        }
      }

      finalizeState(context) {
        this.gone = true;
        super.finalizeState(context);
        this.state.blank.destroy();
      }
    };
    PhotoLayer.layerName = "PhotoLayer";
    PhotoLayer.defaultProps = { tiles: { type: "array", value: [], compare: true }, tone: [1, 1, 1, 1], dot: 3, soft: false, hour: "" };
    return PhotoLayer;
  };
})();
