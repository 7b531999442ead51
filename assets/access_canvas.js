/* The canvas of a flow: blocks that are dragged from the palette and moved, links drawn from port to port. */
(() => {
  'use strict';
  const A = window.CT.access, { KINDS, make, say } = A;
  const W = 132, H = 56, SVG = 'http://www.w3.org/2000/svg'; // of a block, at 16 px to the rem; a wall has more
  const size = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  let host = null, board = null, pending = null;

  const narrow = () => board && board.clientWidth < 720;
  const width = () => (board?.clientWidth || 900) / size();
  const block = kind => A.flow.blocks.find(b => b.kind === kind);
  const clampTo = (x, y) => ({
    x: Math.round(Math.min(Math.max(x, 4), Math.max(width() - W - 4, 4))),
    y: Math.round(Math.min(Math.max(y, 4), Math.max((board?.clientHeight || 200) / size() - H - 4, 4))),
  });
  /** Where a block is put that nobody dragged. */
  function place(i) {
    if (narrow()) return { x: 24, y: 16 + i * (H + 22) };
    return clampTo(24 + i * Math.min((width() - 48 - W) / 4, W + 90), 44);
  }
  const local = e => { const r = board.getBoundingClientRect(); return { x: (e.clientX - r.left) / size(), y: (e.clientY - r.top) / size() }; };

  function mount(element) {
    host = element;
    const palette = make('div', { class: 'ct-palette', role: 'toolbar', 'aria-label': say('canvas') });
    for (const kind of KINDS) {
      palette.append(make('button', { type: 'button', class: `ct-chip-block ct-kind-${kind}`, 'data-kind': kind, onpointerdown: e => dragNew(e, kind),
        onclick: e => { if (e.detail === 0) { A.reach(kind); A.step = kind; A.changed(true); } } }, A.kindName(kind)));
    }
    palette.append(make('span', { class: 'ct-step-buttons' },
      make('button', { type: 'button', class: 'ct-button', id: 'access-back', title: 'Ctrl+Z', onclick: A.back }, say('step_back')),
      make('button', { type: 'button', class: 'ct-button', id: 'access-forth', title: 'Ctrl+Shift+Z', onclick: A.forth }, say('step_forth'))));
    board = make('div', { class: 'ct-board', id: 'access-board' });
    host.replaceChildren(palette, board, make('p', { class: 'ct-quiet ct-help', id: 'access-canvas-help' }, say('canvas_help')));
    draw();
  }

  function draw() {
    if (!board) return;
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('class', 'ct-links');
    for (const [one, other] of A.flow.links) if (block(one) && block(other)) drawLink(svg, one, other);
    if (pending) svg.append(path(pending.from, pending.to, 'ct-link ct-pending'));
    board.replaceChildren(svg, ...A.flow.blocks.map(drawBlock));
    const steps = A.steps();
    host.querySelector('#access-back').disabled = !A.data.may || !steps.back;
    host.querySelector('#access-forth').disabled = !A.data.may || !steps.forth;
    for (const chip of host.querySelectorAll('.ct-chip-block')) chip.classList.toggle('ct-placed', !!block(chip.dataset.kind));
  }

  function path(from, to, className) {
    const p = document.createElementNS(SVG, 'path'), bend = Math.max(Math.abs(to.x - from.x) / 2, 24);
    p.setAttribute('d', `M${from.x},${from.y} C${from.x + bend},${from.y} ${to.x - bend},${to.y} ${to.x},${to.y}`);
    p.setAttribute('transform', `scale(${size()})`);
    p.setAttribute('class', className);
    return p;
  }
  const out = b => ({ x: b.x + W, y: b.y + H / 2 });
  const into = b => ({ x: b.x, y: b.y + H / 2 });

  function drawLink(svg, one, other) {
    const line = path(out(block(one)), into(block(other)), 'ct-link');
    const name = say('remove_link', { one: A.kindName(one), other: A.kindName(other) });
    const cut = () => { A.flow.links = A.flow.links.filter(l => l[0] !== one || l[1] !== other); A.changed(); };
    const wide = line.cloneNode();
    line.setAttribute('data-link', `${one}-${other}`);
    wide.setAttribute('class', 'ct-link-hit');
    if (A.data.may) {
      wide.setAttribute('tabindex', '0');
      wide.setAttribute('role', 'button');
      wide.setAttribute('aria-label', name);
      wide.addEventListener('dblclick', cut);
      wide.addEventListener('keydown', e => { if (e.key === 'Delete' || e.key === 'Backspace') cut(); });
      const title = document.createElementNS(SVG, 'title');
      title.textContent = name;
      wide.append(title);
    }
    svg.append(line, wide);
  }

  function drawBlock(b) {
    const o = A.lookup(b.kind), bad = o.troubles.filter(t => t.error).length, rows = o.rows.length;
    const note = o.state === 'idle' ? say('state_idle') : bad ? `${say('state_bad')} ${bad}` : o.troubles.length ? `${say('state_watch')} ${o.troubles.length}` : rows ? `${say('state_ok')} ${rows}` : say('state_ok');
    const e = make('div', { class: `ct-block ct-kind-${b.kind} ct-is-${o.state}${A.step === b.kind ? ' ct-active' : ''}`, 'data-block': b.kind, style: `left:${b.x / 16}rem;top:${b.y / 16}rem` },
      b.kind !== 'source' && make('span', { class: 'ct-port ct-in', 'data-in': b.kind }),
      make('b', {}, A.kindName(b.kind)), make('small', {}, note),
      make('button', { type: 'button', class: 'ct-cut', title: say('remove_block', { name: A.kindName(b.kind) }), 'aria-label': say('remove_block', { name: A.kindName(b.kind) }), onpointerdown: x => x.stopPropagation(), onclick: () => remove(b.kind) }, '×'),
      b.kind !== 'publish' && make('span', { class: 'ct-port ct-out', 'data-out': b.kind, onpointerdown: x => dragLink(x, b) }));
    e.addEventListener('pointerdown', x => dragBlock(x, b));
    return e;
  }

  function remove(kind) {
    A.flow.blocks = A.flow.blocks.filter(b => b.kind !== kind);
    A.flow.links = A.flow.links.filter(l => !l.includes(kind));
    A.changed();
  }

  // ---- dragging -----------------------------------------------------------------------------------------
  /** Follow the pointer until it is let go. */
  function follow(e, move, end) {
    if (e.button !== 0) return;
    e.preventDefault();
    const id = e.pointerId;
    const onMove = x => { if (x.pointerId === id) move(x); };
    const onEnd = x => {
      if (x.pointerId !== id) return;
      for (const [name, f] of [['pointermove', onMove], ['pointerup', onEnd], ['pointercancel', onEnd]]) removeEventListener(name, f);
      end(x);
    };
    for (const [name, f] of [['pointermove', onMove], ['pointerup', onEnd], ['pointercancel', onEnd]]) addEventListener(name, f);
  }
  const inside = e => { const r = board.getBoundingClientRect(); return e.clientX >= r.left && e.clientY >= r.top && e.clientX <= r.right && e.clientY <= r.bottom; };

  function dragNew(e, kind) {
    if (!A.data.may || block(kind)) { if (block(kind)) A.go(kind); return; }
    const start = { x: e.clientX, y: e.clientY };
    const ghost = make('div', { class: `ct-block ct-ghost ct-kind-${kind}` }, make('b', {}, A.kindName(kind)));
    let moved = false;
    const put = x => { ghost.style.left = `${x.clientX - (W / 2) * size()}px`; ghost.style.top = `${x.clientY - (H / 2) * size()}px`; };
    follow(e, x => {
      if (!moved && Math.hypot(x.clientX - start.x, x.clientY - start.y) > 4) { moved = true; document.body.append(ghost); }
      if (moved) put(x);
    }, x => {
      ghost.remove();
      if (!moved) { A.reach(kind); A.step = kind; A.changed(true); return; } // a click, not a drag
      if (!inside(x)) return;
      const p = local(x);
      A.flow.blocks = [...A.flow.blocks, { kind, ...clampTo(p.x - W / 2, p.y - H / 2) }];
      A.step = kind;
      A.changed(true);
    });
  }

  function dragBlock(e, b) {
    const from = local(e), x0 = b.x, y0 = b.y;
    let moved = false;
    follow(e, x => {
      const p = local(x);
      moved = moved || Math.hypot(p.x - from.x, p.y - from.y) > 3;
      if (!moved || !A.data.may) return;
      Object.assign(b, clampTo(x0 + p.x - from.x, y0 + p.y - from.y));
      draw();
    }, () => { if (!moved) A.go(b.kind); else A.changed(); });
  }

  function dragLink(e, b) {
    if (!A.data.may) return;
    e.stopPropagation();
    pending = { from: out(b), to: local(e) };
    follow(e, x => { pending.to = local(x); draw(); }, x => {
      pending = null;
      const p = local(x);
      const target = A.flow.blocks.find(t => t.kind !== b.kind && p.x >= t.x - 18 && p.x <= t.x + W && p.y >= t.y - 8 && p.y <= t.y + H + 8);
      if (target) link(b.kind, target.kind);
      draw();
    });
  }

  function link(one, other) {
    if (KINDS.indexOf(other) !== KINDS.indexOf(one) + 1) { A.tell(say('order'), true); return; }
    if (!A.flow.links.some(l => l[0] === one && l[1] === other)) A.flow.links = [...A.flow.links, [one, other]];
    A.step = other;
    A.changed(true);
  }

  A.canvas = { mount, draw, place };
})();
