/* 设备接入: one flow, edited by blocks on a canvas or step by step; the server says what every block makes of a
 * message. State and requests are here, the canvas in access_canvas.js, the forms in access_forms.js.
 */
(() => {
  'use strict';
  const CT = (window.CT = window.CT || {});
  const KINDS = ['source', 'decode', 'map', 'check', 'publish'];
  const A = (CT.access = { KINDS });
  let root = null, timer = 0, asked = 0;

  // ---- words and elements -------------------------------------------------------------------------------
  A.say = (key, values) => (A.words[key] || key).replace(/\{(\w+)\}/g, (_, name) => (values || {})[name] ?? '');
  /** An element: tag, attributes (on… are listeners, null is left out), children. */
  A.make = (tag, attributes, ...children) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes || {})) {
      if (v === null || v === undefined || v === false) continue;
      if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
      else if (k === 'value') e.value = v;
      else if (k === 'checked') e.checked = v;
      else e.setAttribute(k, v === true ? '' : v);
    }
    for (const c of children.flat(9)) if (c !== null && c !== undefined && c !== false) e.append(c);
    return e;
  };
  const { say, make } = A;
  A.kindName = kind => say('kind_' + kind);

  A.clock = t => new Date(t * 1000).toLocaleString(A.lang === 'zh' ? 'zh-CN' : 'en-GB', A.data?.timezone ? { timeZone: A.data.timezone } : {});

  // ---- the server ---------------------------------------------------------------------------------------
  async function ask(name, body, raw) {
    const options = body === undefined ? {} : { method: 'POST', body: raw ? body : JSON.stringify(body) };
    try {
      const r = await fetch(`/api/access/${name}?lang=${A.lang}`, options);
      if (r.status === 403) return { ok: false, error: say('read_only') };
      return await r.json();
    } catch (e) {
      return { ok: false, error: say('away') };
    }
  }
  A.ask = ask;

  // ---- state --------------------------------------------------------------------------------------------
  A.fresh = () => ({
    id: '', name: '', dialect: 'mapped', source: { filter: '' }, model: '', kind: 'rtu', vendor: '', devices: [], maps: [],
    ignore: [], blocks: [{ kind: 'source', x: 24, y: 44 }], links: [],
  });
  // every edit of a flow is a step; letters typed into one field in a row are one
  const STEPS = 200, PAUSE_MS = 900;
  let past = [], future = [], held = '', typed = { id: '', at: 0 };
  function forget() { past = []; future = []; held = JSON.stringify(A.flow); typed = { id: '', at: 0 }; }
  function remember() {
    const now = JSON.stringify(A.flow), id = document.activeElement?.matches?.('input, textarea') ? document.activeElement.id : '';
    if (now === held) return;
    const goesOn = id && id === typed.id && Date.now() - typed.at < PAUSE_MS && past.length;
    if (!goesOn) past = [...past.slice(1 - STEPS), held];
    held = now; future = []; typed = { id, at: Date.now() };
  }
  function step(from, to) {
    if (!from.length || !A.data?.may) return;
    to.push(held); held = from.pop(); typed = { id: '', at: 0 };
    A.flow = JSON.parse(held);
    A.note = null;
    A.changed(true, true);
  }
  A.back = () => step(past, future);
  A.forth = () => step(future, past);
  A.steps = () => ({ back: past.length, forth: future.length });
  document.addEventListener('keydown', e => {
    if (!root || !(e.ctrlKey || e.metaKey) || e.altKey || e.target.closest?.('input, textarea, select')) return;
    const key = e.key.toLowerCase(), forth = key === 'y' || (key === 'z' && e.shiftKey);
    if (key !== 'z' && key !== 'y') return;
    e.preventDefault();
    if (forth) A.forth(); else A.back();
  });
  function reset() {
    Object.assign(A, { flow: A.fresh(), message: { topic: '', payload: '' }, outcomes: [], matches: [], step: 'source', heard: null, note: null, table: null, kept: null, revision: A.data ? A.data.revision : 0 });
  }
  A.open = (flow, message, matches) => {
    reset();
    A.flow = { ...A.fresh(), ...flow };
    if (!A.flow.blocks.length) A.flow.blocks = A.fresh().blocks;
    if (A.flow.dialect === 'mapped' && !A.flow.source) A.flow.source = { filter: '' };
    if (message) A.message = message;
    A.matches = matches || [];
    A.kept = (A.data.flows || []).find(f => f.id === A.flow.id) || null;
    forget();
    A.changed(true);
  };
  A.lookup = kind => (A.outcomes || []).find(o => o.kind === kind) || { kind, state: 'idle', rows: [], troubles: [] };

  /** The flow was edited: draw what depends on it, and let the server go through it again. */
  A.changed = (whole, stepped) => {
    if (!stepped) remember();
    if (whole) A.draw(); else A.canvas.draw();
    clearTimeout(timer);
    timer = setTimeout(trace, 250);
  };
  async function trace() {
    if (!A.data.may) return;
    const number = ++asked, found = await ask('trace', { flow: A.flow, message: A.message });
    if (number !== asked || !root) return;
    if (found.blocks) { A.outcomes = found.blocks; A.trouble = ''; } else A.trouble = found.error || say('away');
    A.canvas.draw();
    A.forms.drawResult();
    root.dataset.traced = String(number);
  }
  A.reload = async () => {
    const data = await ask('moving');
    if (!data.flows || !root || !A.data) return;
    Object.assign(A.data, data);
    A.kept = data.flows.find(f => f.id === A.flow.id) || null;
    if (JSON.stringify(data) !== A.drawn) { A.drawn = JSON.stringify(data); drawSide(); }
  };

  // ---- steps: the way without dragging ------------------------------------------------------------------
  /** Put a block on the canvas and link it to the ones beside it. */
  A.reach = kind => {
    const at = KINDS.indexOf(kind), has = k => A.flow.blocks.some(b => b.kind === k);
    for (let i = 0; i <= at; i++) {
      if (!has(KINDS[i])) A.flow.blocks = [...A.flow.blocks, { kind: KINDS[i], ...A.canvas.place(i) }];
      if (i && !A.flow.links.some(l => l[0] === KINDS[i - 1] && l[1] === KINDS[i])) A.flow.links = [...A.flow.links, [KINDS[i - 1], KINDS[i]]];
    }
  };
  A.go = kind => { A.step = kind; A.note = null; A.draw(); root.querySelector(`#access-step-${kind}`)?.focus(); };

  // ---- the side: flows and strangers --------------------------------------------------------------------
  function drawSide() {
    const side = root.querySelector('.ct-access-side'), may = A.data.may;
    const flows = A.data.flows.map(f => make('li', {},
      make('button', { type: 'button', class: 'ct-row' + (A.flow.id === f.id ? ' ct-active' : ''), 'data-flow': f.id, onclick: () => A.open(f.flow) },
        make('b', {}, f.flow.name), make('small', {}, `${f.flow.devices.length} · ${f.live ? say('state_live') : say('state_back')}`),
        f.simulated && make('small', { class: 'ct-simulated' }, say('state_simulated')))));
    const strangers = A.data.strangers.map(s => make('li', {},
      make('button', { type: 'button', class: 'ct-row', disabled: !may, 'data-stranger': s.device, onclick: () => take(s.hash) },
        make('b', {}, s.device), make('code', {}, s.topic),
        make('small', {}, `${s.model ? say('like', { model: s.model, score: Math.round(100 * s.score) }) : say('unlike')} · ${say('times', { n: s.count })}`))));
    const file = make('input', { type: 'file', accept: '.json,application/json', hidden: true, id: 'access-file', onchange: e => importFlow(e.target) });
    side.replaceChildren(
      panel(say('strangers'), make('div', {},
        strangers.length ? make('ul', { class: 'ct-list' }, strangers) : make('p', { class: 'ct-quiet' }, say('no_strangers')),
        A.data.scout && make('small', { class: 'ct-quiet', id: 'access-scout' }, say('scout', { said: A.data.scout })))),
      panel(say('flows'), flows.length ? make('ul', { class: 'ct-list' }, flows) : make('p', { class: 'ct-quiet' }, say('no_flows')),
        make('button', { type: 'button', class: 'ct-button', id: 'access-new', disabled: !may, onclick: () => { reset(); forget(); A.changed(true); } }, say('new')),
        make('button', { type: 'button', class: 'ct-button', disabled: !may, onclick: () => file.click() }, say('import')), file));
  }
  function panel(title, body, ...buttons) {
    return make('section', { class: 'ct-panel' }, make('h2', {}, title, buttons), body);
  }
  async function take(hash) {
    const found = await ask('propose', { hash });
    if (found.flow) A.open(found.flow, found.message, found.matches); else A.tell(found.error, true);
  }
  async function importFlow(input) {
    const file = input.files[0];
    if (!file) return;
    try {
      const said = JSON.parse(await file.text());
      if (!said.flow || typeof said.flow.id !== 'string') throw new Error('no flow');
      A.open(said.flow);
    } catch (e) { A.tell(say('bad_file'), true); }
    input.value = '';
  }
  A.tell = (text, bad) => { A.note = text ? { text, bad: !!bad } : null; A.forms.drawNote(); };

  // ---- the whole ----------------------------------------------------------------------------------------
  A.draw = () => {
    if (!root) return;
    const held = document.activeElement?.id; // drawn anew: who writes there goes on writing there
    root.replaceChildren(make('aside', { class: 'ct-access-side' }),
      make('div', { class: 'ct-access-main' },
        !A.data.may && make('p', { class: 'ct-notice' }, say('read_only')),
        make('section', { class: 'ct-panel ct-access-canvas' }),
        make('section', { class: 'ct-panel ct-access-form' }), make('section', { class: 'ct-panel ct-access-result' })));
    drawSide();
    A.canvas.mount(root.querySelector('.ct-access-canvas'));
    A.forms.mount(root.querySelector('.ct-access-form'), root.querySelector('.ct-access-result'));
    if (held && document.activeElement?.id !== held) document.getElementById(held)?.focus();
    if (!A.data.may) for (const e of root.querySelectorAll('.ct-access-main :is(input, select, textarea, button:not([role=tab]))')) e.disabled = true;
  };

  async function boot(element) {
    root = element;
    A.words = JSON.parse(element.dataset.words);
    A.lang = element.dataset.lang;
    A.chart = element.dataset.chart;
    const data = await ask('state');
    if (root !== element || !element.isConnected) return;
    if (!data.models) { element.textContent = data.error || say('away'); setTimeout(() => { if (root === element) boot(element); }, 3000); return; }
    A.data = data;
    reset();
    forget();
    A.draw();
    root.dataset.ready = '1';
  }
  setInterval(() => { if (root && root.dataset.ready && !document.hidden) A.reload(); }, 5000);
  new MutationObserver(() => {
    const element = document.getElementById('access-root');
    if (element && element !== root) boot(element);
    else if (!element && root) root = null;
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
