/* Scene, part 13: which tiles are drawn. A tile gives way to its children only when all of those in sight are there, and
   comes back only when it is itself there: no holes, no flicker. Memory is bounded. Knows nothing of the GPU. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const LIMIT_PX = 16; // geometric error that may show, as other viewers of 3D Tiles count it
  const LOADS = 6; // at a time
  const TRIES = 3;
  const RETRY_MS = 15000;
  const ROOM_BESIDE = 0.6; // share of the budget up to which tiles beside the picture are fetched
  const MOST_TILES = 200000;
  const IDENTITY = new Float64Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);

  /** Distance (m) from a point to a box [x0, y0, z0, x1, y1, z1]. */
  function distanceTo(box, eye) {
    let sum = 0;
    for (let i = 0; i < 3; i++) {
      const d = Math.max(box[i] - eye[i], 0, eye[i] - box[i + 3]);
      sum += d * d;
    }
    return Math.sqrt(sum);
  }

  /** Whether a box is outside one of the planes {normal, distance}: inside is normal . p >= distance. */
  function isOutside(box, planes) {
    return planes.some(({ normal, distance }) => {
      let reach = 0;
      for (let i = 0; i < 3; i++) reach += normal[i] * (normal[i] > 0 ? box[i + 3] : box[i]);
      return reach < distance;
    });
  }

  /**
   * One tileset. `options`: `frame` (SceneFrame), `load(node)` resolves to {bytes, ...} and `free(content)` undoes it,
   * `budget` (bytes), `changed()` is called when another choice may be due.
   */
  kit.TileTree = class TileTree {
    constructor(url, options) {
      Object.assign(this, { url, ...options });
      this.root = null;
      this.turn = 0;
      this.bytes = 0;
      this.loading = 0;
      this.count = 0;
      this.coarser = 1; // above 1 while what is in sight would not fit the budget
      this.wanted = [];
      this.kept = new Set();
      this.failures = [];
      this.closed = false;
    }

    async open() {
      this.root = await this.readTileset(this.url, IDENTITY, null);
      return this;
    }

    async readTileset(url, matrix, parent) {
      const response = await fetch(url, { credentials: "same-origin" });
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      const doc = await response.json();
      return this.readNode(doc.root, matrix, url, parent);
    }

    /** The nodes of a tileset, without recursion: a tree may be deep. */
    readNode(top, matrix, url, parent) {
      const root = this.makeNode(top, matrix, url, parent);
      const stack = [[top, root]];
      while (stack.length) {
        const [row, node] = stack.pop();
        for (const child of row.children || []) {
          const below = this.makeNode(child, node.matrix, url, node);
          node.children.push(below);
          stack.push([child, below]);
        }
      }
      return root;
    }

    makeNode(row, above, base, parent) {
      if (++this.count > MOST_TILES) throw new Error(`${this.url}: more than ${MOST_TILES} tiles`);
      const matrix = row.transform ? kit.multiply(above, row.transform) : above;
      const content = row.content && (row.content.uri || row.content.url);
      return {
        matrix, parent, children: [], content: null, state: content ? "absent" : "empty", tries: 0, retryAt: 0, seen: 0,
        url: content ? new URL(content, new URL(base, location.href)).href : null,
        box: this.frame.boxOf(row.boundingVolume, matrix), error: Math.max(row.geometricError || 0, 0),
        adds: (row.refine || (parent && parent.adds ? "ADD" : "REPLACE")).toUpperCase() === "ADD",
      };
    }

    /**
     * Choose what to draw. `view`: {eye (local metres), planes, scale: pixels of one metre at one metre's distance}.
     * Returns the nodes to draw; `covered` says whether they leave no hole.
     */
    choose(view) {
      this.turn += 1;
      this.view = view;
      this.wanted = [];
      this.draws = [];
      this.covered = Boolean(this.root) && this.visit(this.root, true);
      this.trim();
      this.fetchWanted();
      return this.draws;
    }

    /** Add what covers the node to `draws`; false when something in sight would stay open. */
    visit(node, inSight) {
      const seen = inSight && !isOutside(node.box, this.view.planes);
      const far = Math.max(distanceTo(node.box, this.view.eye), 1);
      const size = (node.error * this.view.scale) / far;
      const fine = size <= LIMIT_PX * this.coarser;
      if (!seen) {
        // Beside what is drawn: fetched while there is room, so that a turn of the head finds it.
        const room = this.bytes < ROOM_BESIDE * this.budget;
        if (room && node.parent && node.parent.refining === this.turn) this.want(node, size * 0.05);
        return true;
      }
      this.touch(node);
      if (node.adds) return this.visitAdding(node, fine, size);
      const open = node.children.length && (!fine || node.state === "empty" || node.state === "failed");
      if (open) {
        node.refining = this.turn;
        const mark = this.draws.length;
        let whole = true;
        for (const child of node.children) whole = this.visit(child, true) && whole;
        if (whole) return true;
        // A child is still on its way or broken: this tile stands in for all of them.
        if (node.state === "ready") {
          this.draws.length = mark;
          this.draws.push(node);
          return true;
        }
        this.want(node, size);
        return false; // whatever there is stays drawn
      }
      if (node.state === "ready") {
        this.draws.push(node);
        return true;
      }
      if (node.state === "empty" && !node.children.length) return true;
      this.want(node, size);
      return this.coverFrom(node);
    }

    visitAdding(node, fine, size) {
      if (node.state === "ready") this.draws.push(node);
      else this.want(node, size);
      if (!fine) for (const child of node.children) this.visit(child, true);
      return node.state === "ready" || node.state === "empty";
    }

    /** Going back to a tile that is not there (any more): its descendants stay as long as they cover it. */
    coverFrom(node) {
      const mark = this.draws.length;
      const whole = node.children.length > 0 && node.children.every((child) => {
        if (isOutside(child.box, this.view.planes)) return true;
        this.touch(child);
        if (child.state === "ready") {
          this.draws.push(child);
          return true;
        }
        return this.coverFrom(child);
      });
      if (!whole) this.draws.length = mark;
      return whole;
    }

    touch(node) {
      node.seen = this.turn;
    }

    want(node, size) {
      if (node.state === "absent" || (node.state === "broken" && performance.now() > node.retryAt)) {
        this.wanted.push({ node, size });
      }
    }

    fetchWanted() {
      this.wanted.sort((a, b) => b.size - a.size);
      for (const { node, size } of this.wanted) {
        if (this.loading >= LOADS || this.closed) return;
        if (this.bytes > 1.1 * this.budget) return;
        this.fetchOne(node);
      }
    }

    async fetchOne(node) {
      node.state = "loading";
      this.loading += 1;
      try {
        if (/\.json(\?|$)/.test(node.url)) {
          node.children.push(await this.readTileset(node.url, node.matrix, node));
          node.state = "empty";
        } else {
          const content = await this.load(node);
          if (this.closed) {
            this.free(content);
          } else {
            node.content = content;
            node.state = "ready";
            this.bytes += content.bytes;
            this.kept.add(node);
          }
        }
      } catch (error) {
        node.tries += 1;
        const lasting = node.tries >= TRIES || /glb|: 4\d\d$|decoded/.test(error.message);
        node.state = lasting ? "failed" : "broken";
        node.retryAt = performance.now() + RETRY_MS;
        this.failures.push({ url: node.url, why: error.message });
        if (this.failures.length > 100) this.failures.shift();
        console.warn("tiles:", error.message);
      }
      this.loading -= 1;
      if (!this.closed) this.changed();
    }

    /** Let go of what was not asked for lately, oldest first; when even that is too much, draw coarser. */
    trim() {
      if (this.bytes > this.budget) {
        const drawn = new Set(this.draws);
        // Tiles in sight that are not drawn are the way back: ancestors go last, the root never.
        const old = [...this.kept].filter((n) => n.parent && !drawn.has(n)).sort((a, b) => a.seen - b.seen || a.error - b.error);
        for (const node of old) {
          if (this.bytes <= 0.9 * this.budget) break;
          if (node.seen === this.turn && this.bytes <= 1.2 * this.budget) break;
          this.drop(node);
        }
      }
      if (this.bytes > this.budget) this.coarser = Math.min(this.coarser * 1.15, 16);
      else if (this.bytes < 0.7 * this.budget && !this.wanted.length) this.coarser = Math.max(this.coarser / 1.05, 1);
    }

    drop(node) {
      this.kept.delete(node);
      this.bytes -= node.content.bytes;
      this.free(node.content);
      node.content = null;
      node.state = "absent";
    }

    /** Every tile of the tree. */
    *walk() {
      const stack = this.root ? [this.root] : [];
      while (stack.length) {
        const node = stack.pop();
        yield node;
        stack.push(...node.children);
      }
    }

    close() {
      this.closed = true;
      for (const node of [...this.kept]) this.drop(node);
      this.draws = [];
    }
  };
})();
