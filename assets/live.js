/* Live values: one websocket, binary frames (docs/live-protocol.md), resumed for ever.
 *
 * window.CT.live     Map point number -> {value, t, quality, sim, sigma, residual, z}   (SI, s since 1970 UTC)
 * window.CT.network  last state of the heat network, Float32Arrays in the order of the county's tables
 * window.CT.status   last status
 * Events on document: ct-live {points}, ct-network {...}, ct-status {...}.
 * Elements: <span data-point="S07/p1_ts" data-field="value|sim|residual|z|age"></span> are filled and kept.
 */
(() => {
  'use strict';
  const CT = (window.CT = window.CT || {});
  CT.live = CT.live || new Map();
  CT.network = CT.network || null;
  CT.status = CT.status || null;

  const SNAPSHOT = 1, DELTA = 2, SIMULATED = 3, NETWORK = 4, STATUS = 5;
  const WATCHDOG_MS = 6000, FIRST_RETRY_MS = 400, MAX_RETRY_MS = 5000;
  const zh = () => (document.documentElement.lang || 'zh').startsWith('zh');
  let meta = null, byId = new Map(), socket = null, retry = FIRST_RETRY_MS, lastFrame = 0, number = null;
  let offset = 0; // server clock minus ours, seconds
  let lostSince = null;

  const now = () => Date.now() / 1000 + offset;
  CT.now = now;
  CT.pointNo = id => byId.get(id);
  CT.meta = () => meta;
  CT.clock = t => new Date(t * 1000).toLocaleTimeString('en-GB', meta ? { timeZone: meta.timezone } : {});
  const say = (key, words) => meta.words[zh() ? 'zh' : 'en'][key].replace(/\{(\w+)\}/g, (_, name) => words[name]);

  // ---- frames ---------------------------------------------------------------------------------------
  function readFrame(buffer) {
    const head = new DataView(buffer, 0, 24);
    if (head.getUint8(0) !== 67 || head.getUint8(1) !== 84 || head.getUint8(2) !== 1) throw new Error('not a frame');
    return { kind: head.getUint8(3), count: head.getUint32(4, true), number: Number(head.getBigUint64(8, true)),
             time: head.getFloat64(16, true), buffer };
  }

  const f64 = (f, at, n) => new Float64Array(f.buffer, at, n);

  function takeReadings(f) {
    const n = f.count, t = f64(f, 24, n), v = f64(f, 24 + 8 * n, n);
    const no = new Uint32Array(f.buffer, 24 + 16 * n, n), q = new Uint8Array(f.buffer, 24 + 20 * n, n);
    for (let i = 0; i < n; i++) {
      const p = CT.live.get(no[i]) || {};
      p.t = t[i]; p.value = v[i]; p.quality = q[i];
      CT.live.set(no[i], p);
    }
    const points = Array.from(no);
    paint(points);
    document.dispatchEvent(new CustomEvent('ct-live', { detail: { points } }));
  }

  function takeSimulated(f) {
    const n = f.count, t = f64(f, 24, 1)[0], cols = [0, 1, 2, 3].map(k => f64(f, 32 + 8 * n * k, n));
    const no = new Uint32Array(f.buffer, 32 + 32 * n, n);
    for (const p of CT.live.values()) { p.sim = p.residual = p.z = undefined; }
    for (let i = 0; i < n; i++) {
      const p = CT.live.get(no[i]) || {};
      [p.sim, p.sigma, p.residual, p.z] = cols.map(c => c[i]);
      p.simT = t;
      CT.live.set(no[i], p);
    }
    const points = Array.from(no);
    paint(points);
    document.dispatchEvent(new CustomEvent('ct-live', { detail: { points } }));
  }

  function takeNetwork(f) {
    const v = new DataView(f.buffer), t = v.getFloat64(24, true), nn = v.getUint32(32, true), np = v.getUint32(36, true);
    let at = 40;
    const next = n => { const a = new Float32Array(f.buffer, at, n); at += 4 * n; return a; };
    CT.network = { t, tSupply: next(nn), tReturn: next(nn), pSupply: next(nn), pReturn: next(nn), massFlow: next(np), tPipe: next(np) };
    document.dispatchEvent(new CustomEvent('ct-network', { detail: CT.network }));
  }

  function takeStatus(f) {
    CT.status = JSON.parse(new TextDecoder().decode(new Uint8Array(f.buffer, 24, f.count)));
    paintAlarm();
    document.dispatchEvent(new CustomEvent('ct-status', { detail: CT.status }));
    paintOutage();
  }

  const TAKE = { [SNAPSHOT]: takeReadings, [DELTA]: takeReadings, [SIMULATED]: takeSimulated, [NETWORK]: takeNetwork, [STATUS]: takeStatus };

  // ---- the socket -----------------------------------------------------------------------------------
  function connect() {
    const url = new URL('/ws/live', location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const mine = (socket = new WebSocket(url));
    mine.binaryType = 'arraybuffer';
    lastFrame = performance.now();
    number = null;
    mine.onmessage = e => {
      if (mine !== socket) return;
      lastFrame = performance.now();
      retry = FIRST_RETRY_MS;
      if (lostSince !== null) { lostSince = null; paintOutage(); document.dispatchEvent(new CustomEvent('ct-back')); }
      const f = readFrame(e.data);
      offset = f.time - Date.now() / 1000;
      if (number !== null && f.number > number + 1) { mine.close(); return; } // a frame is missing: start over
      number = f.number;
      TAKE[f.kind]?.(f);
    };
    mine.onclose = () => { if (mine === socket) again(); };
  }

  function again() {
    if (lostSince === null) lostSince = Date.now() / 1000;
    socket = null;
    paintOutage();
    setTimeout(connect, retry * (0.7 + 0.6 * Math.random()));
    retry = Math.min(retry * 2, MAX_RETRY_MS);
  }

  setInterval(() => {
    if (socket && performance.now() - lastFrame > WATCHDOG_MS) { const s = socket; s.onclose = null; s.close(); again(); }
    paintAges();
    paintOutage();
  }, 1000);

  // ---- text -----------------------------------------------------------------------------------------
  function formatNumber(x, decimals) {
    if (x === undefined || x === null || !Number.isFinite(x)) return '--';
    const text = Math.abs(x).toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return x < 0 && Number(Math.abs(x).toFixed(decimals)) !== 0 ? '\u2212' + text : text;
  }

  function formatAge(s) {
    if (!Number.isFinite(s)) return '--';
    s = Math.max(0, Math.round(s));
    if (s < 100) return `${s} s`;
    if (s < 6000) return `${Math.round(s / 60)} min`;
    if (s < 172800) return `${Math.round(s / 3600)} h`;
    return meta ? say('days', { n: Math.round(s / 86400) }) : `${Math.round(s / 86400)} d`;
  }

  CT.formatNumber = formatNumber;
  CT.say = (key, words) => (meta ? say(key, words || {}) : '');
  CT.formatAge = formatAge;
  CT.formatPoint = (no, field) => {
    const q = meta.quantities[meta.quantity[no]], p = CT.live.get(no);
    if (!p) return '--';
    if (field === 'z') return p.z === undefined ? '--' : formatNumber(p.z, 1);
    if (field === 'age') return p.t === undefined ? '--' : formatAge(now() - p.t);
    const words = field === 'value' && meta.choices[no];
    if (words && p.value !== undefined) { const word = words[zh() ? 'zh' : 'en'][p.value]; if (word) return word; }
    const raw = field === 'sim' ? p.sim : field === 'residual' ? p.residual : p.value;
    return formatNumber(raw === undefined ? NaN : raw * q.scale, q.decimals);
  };
  CT.isStale = no => {
    const p = CT.live.get(no);
    return !p || p.t === undefined || now() - p.t > Math.max(3 * meta.period_s[no], 900);
  };

  // ---- elements -------------------------------------------------------------------------------------
  const watched = new Map(); // point number -> Set of elements

  function adopt(root) {
    if (!meta || !root.querySelectorAll) return;
    const found = [...root.querySelectorAll('[data-point]')];
    if (root.matches && root.matches('[data-point]')) found.push(root);
    for (const e of found) {
      const no = byId.get(e.dataset.point);
      if (no === undefined) { e.textContent = '--'; continue; }
      if (!watched.has(no)) watched.set(no, new Set());
      watched.get(no).add(e);
      fill(e, no);
    }
  }

  function part(e, name) {
    let x = e.querySelector(':scope > .ct-' + name);
    if (!x) { x = document.createElement('span'); x.className = 'ct-' + name; e.appendChild(x); }
    return x;
  }

  function setText(e, text) { if (e.textContent !== text) e.textContent = text; }

  function fill(e, no) {
    const field = e.dataset.field || 'value', p = CT.live.get(no), q = meta.quantities[meta.quantity[no]];
    setText(part(e, 'num'), CT.formatPoint(no, field));
    if (field === 'value' || field === 'sim' || field === 'residual') {
      if (e.dataset.unit !== 'no' && q.unit) setText(part(e, 'unit'), q.unit);
    }
    if (field === 'z' && p && p.z !== undefined) {
      const a = Math.abs(p.z);
      e.dataset.level = a > 3 ? 'bad' : a > 2 ? 'watch' : 'ok';
    }
    if (field === 'value') age(e, no);
  }

  function age(e, no) {
    const p = CT.live.get(no), s = p && p.t !== undefined ? now() - p.t : NaN, stale = CT.isStale(no);
    e.classList.toggle('ct-stale', stale);
    e.classList.toggle('ct-bad', !!p && p.quality !== undefined && p.quality < 64);
    e.title = say('age', { age: formatAge(s) });
    if (e.dataset.age === 'no') return;
    const dot = part(e, 'dot');
    dot.style.opacity = Number.isFinite(s) ? Math.max(0.15, 1 - s / Math.max(3 * meta.period_s[no], 900)) : 0.1;
    if (e.dataset.age === 'text' || stale) setText(part(e, 'age'), formatAge(s));
    else e.querySelector(':scope > .ct-age')?.remove();
  }

  function forget(no, set) { for (const e of set) if (!e.isConnected) set.delete(e); if (!set.size) watched.delete(no); }

  function paint(points) {
    if (!meta) return;
    for (const no of points) {
      const set = watched.get(no);
      if (set) for (const e of set) fill(e, no);
    }
  }

  function paintAges() {
    if (!meta) return;
    for (const [no, set] of watched) {
      forget(no, set);
      for (const e of set) {
        const field = e.dataset.field || 'value';
        if (field === 'value') age(e, no); else if (field === 'age') fill(e, no);
      }
    }
  }

  new MutationObserver(list => {
    for (const m of list) {
      for (const n of m.addedNodes) if (n.nodeType === 1) adopt(n);
      if (m.type === 'attributes' && m.target.dataset.point) adopt(m.target);
    }
  }).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-point', 'data-field'] });

  // ---- outage ---------------------------------------------------------------------------------------
  function paintOutage() {
    const down = CT.status && CT.status.store && !CT.status.store.up;
    const since = lostSince !== null ? lostSince + offset : down ? CT.status.store.since : null;
    let e = document.getElementById('ct-outage');
    if (!e && document.body) {
      e = document.createElement('div');
      e.id = 'ct-outage';
      e.setAttribute('role', 'status');
      e.hidden = true;
      document.body.appendChild(e);
    }
    if (!e) return;
    e.hidden = since === null || now() - since < 0.8;
    document.documentElement.classList.toggle('ct-down', !e.hidden);
    if (e.hidden) { setText(e, ''); return; }
    setText(e, say('outage', { age: formatAge(now() - since), since: CT.clock(since) }));
  }

  /** Messages lost or held on the way in: 数据质量 is marked in the navigation of every page, for an hour. */
  function paintAlarm() {
    const alarm = CT.status.alarm, words = alarm ? say('alarm', { t: CT.clock(alarm.t) }) : '';
    for (const a of document.querySelectorAll('.ct-nav-item[href^="/data-quality"]')) {
      if ((a.dataset.alarm || '') === words) continue;
      if (alarm) { a.dataset.alarm = words; a.title = words; } else { delete a.dataset.alarm; a.removeAttribute('title'); }
    }
  }

  async function start() {
    for (;;) {
      try {
        const r = await fetch('/api/meta');
        if (r.status === 401 || r.status === 403) return;
        if (r.ok) { meta = await r.json(); break; }
      } catch (e) { /* the server is away: try again */ }
      await new Promise(done => setTimeout(done, 1500));
    }
    byId = new Map(meta.ids.map((id, i) => [id, i]));
    adopt(document.documentElement);
    document.dispatchEvent(new CustomEvent('ct-meta', { detail: meta }));
    connect();
  }
  CT.repaint = () => { watched.clear(); adopt(document.documentElement); paintOutage(); };
  if (!/^\/(public|login)/.test(location.pathname)) start();
})();
