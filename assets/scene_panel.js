/* Scene, part 22: one side panel for what a tool has found; and drawing on the screen (a box, a polygon). */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});

  /** Panel at the right edge; one at a time. */
  kit.Panel = class Panel {
    constructor(scene) {
      this.scene = scene;
      this.root = kit.element("section", "ct-scene-panel", { hidden: "" });
      scene.chrome.root.append(this.root);
      scene.chrome.panel = this.root;
      this.root.addEventListener("keydown", (e) => {
        e.stopPropagation();
        if (e.key === "Escape") this.close();
      });
    }

    /** `onClose` is called when another panel or a hand closes it. */
    open(title, body, onClose) {
      this.leave();
      this.onClose = onClose;
      const close = kit.element("button", "ct-scene-panel-close", { type: "button", "aria-label": this.scene.texts.close, title: this.scene.texts.close }, "×");
      close.addEventListener("click", () => this.close());
      this.root.replaceChildren(kit.element("header", "", {}, kit.element("h3", "", {}, title), close), body);
      this.root.hidden = false;
      this.scene.host.classList.add("has-panel");
      this.scene.taken = null;
      this.scene.redrawSoon();
    }

    leave() {
      const { onClose } = this;
      this.onClose = null;
      if (onClose) onClose();
    }

    close() {
      if (this.root.hidden) return;
      this.root.hidden = true;
      this.root.replaceChildren();
      this.scene.host.classList.remove("has-panel");
      this.scene.taken = null;
      this.leave();
      this.scene.redrawSoon();
    }
  };

  /** Whether a place on the screen lies in a polygon of screen places. */
  kit.isWithin = function ([x, y], ring) {
    let inside = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [[ax, ay], [bx, by]] = [ring[j], ring[i]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  };

  /** A sheet over the picture on which a box or a polygon is drawn; `done(ring)` in pixels, null: given up. */
  kit.drawShape = function (host, kind, done) {
    const SVG = "http://www.w3.org/2000/svg";
    const sheet = document.createElementNS(SVG, "svg");
    const shape = document.createElementNS(SVG, "polygon");
    sheet.setAttribute("class", "ct-scene-sheet");
    sheet.setAttribute("tabindex", "0");
    sheet.append(shape);
    host.append(sheet);
    sheet.focus();
    let points = [];
    const at = (e) => {
      const box = sheet.getBoundingClientRect();
      return [e.clientX - box.left, e.clientY - box.top];
    };
    const show = (more) => shape.setAttribute("points", [...points, ...(more ? [more] : [])].map((p) => p.join(",")).join(" "));
    const end = (ring) => {
      sheet.remove();
      done(ring && ring.length > 2 ? ring : null);
    };
    const corners = ([ax, ay], [bx, by]) => [[ax, ay], [bx, ay], [bx, by], [ax, by]];
    let from = null;
    sheet.addEventListener("pointerdown", (e) => {
      e.preventDefault();
      if (kind === "box") {
        from = at(e);
        sheet.setPointerCapture(e.pointerId);
      }
    });
    sheet.addEventListener("pointermove", (e) => {
      if (kind === "box" && from) {
        points = corners(from, at(e));
        show();
      } else if (kind === "polygon" && points.length) show(at(e));
    });
    sheet.addEventListener("pointerup", (e) => {
      if (kind === "box") {
        const ring = from && corners(from, at(e));
        from = null;
        if (ring && Math.abs(ring[2][0] - ring[0][0]) > 4 && Math.abs(ring[2][1] - ring[0][1]) > 4) end(ring);
        return;
      }
      const place = at(e);
      const last = points[points.length - 1];
      const again = last && Math.hypot(place[0] - last[0], place[1] - last[1]) < 5;
      if (again && points.length > 2) return void end(points);
      if (!again) points.push(place);
      show();
    });
    sheet.addEventListener("keydown", (e) => {
      e.stopPropagation();
      if (e.key === "Enter") end(points);
      if (e.key === "Escape") end(null);
    });
    return () => end(null);
  };
})();
