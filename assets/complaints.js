/* 用户诉求: taking a call, the list by what is due, and the life of a case. Houses beside it are drawn by the page. */
(() => {
  'use strict';
  const API = '/api/complaints', FIGURES = ['complaints_homes', 'measured_share', 'solved_share', 'satisfied_share'];
  let root = null, words = {}, lang = 'zh', data = null, shown = 0, form = null, timer = 0, open = new Set(), drawn = '';
  const say = (key, values) => (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => (values || {})[name] ?? '');
  const list = name => JSON.parse(root.dataset[name]);
  const bare = () => root.dataset.bare === '1';
  const clock = t => new Date(t * 1000).toLocaleString('sv-SE', { timeZone: root.dataset.zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }).slice(5);
  const number = (x, digits = 1) => (x === null || x === undefined ? '--' : x.toFixed(digits).replace('-', '−'));
  const span = s => { const m = Math.abs(s) / 60; return m < 90 ? say('min', { n: Math.round(m) }) : m < 2880 ? say('h', { n: Math.round(m / 60) }) : say('d', { n: Math.round(m / 1440) }); };
  const show = (building) => window.dash_clientside?.set_props?.('complaint-building', { data: building || '' });
  function make(tag, attributes, ...children) {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes || {})) {
      if (v === null || v === undefined || v === false) continue;
      if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
      else if (k === 'value') e.value = v;
      else e.setAttribute(k, v === true ? '' : v);
    }
    for (const c of children.flat(9)) if (c !== null && c !== undefined && c !== false && c !== '') e.append(c);
    return e;
  }
  async function ask(path, body) {
    const options = body === undefined ? {} : { method: 'POST', body: body instanceof Blob ? body : JSON.stringify(body) };
    try { const r = await fetch(`${API}${path}${path.includes('?') ? '&' : '?'}lang=${lang}`, options); return await r.json(); } catch (e) { return { ok: false, code: 'away' }; }
  }
  const why = a => (a.code === 'away' || a.code === 'forbidden' ? say(a.code) : a.why);

  // ---- the list -----------------------------------------------------------------------------------------
  function due(k) {
    if (!k || !k.due) return null;
    const left = k.due - data.now, text = `${say('due_' + k.what)} ${say(left >= 0 ? 'left' : 'late', { t: span(left) })}`;
    return make('span', { class: `ct-case-due ct-${k.level}`, title: say('level_' + k.level) }, make('i', { style: `width:${Math.min(100, 100 * k.share).toFixed(0)}%` }), make('b', {}, `${{ safe: '●', near: '▲', over: '■' }[k.level]} ${text}`));
  }
  function line(c, inside) {
    const what = [c.place, bare() ? '' : c.home].filter(Boolean).join(' ');
    const said = c.room_c !== null ? say('said_c', { v: number(c.room_c) }) : '';
    return make('button', { type: 'button', class: `ct-case${inside ? ' ct-case-inside' : ''}${c.no === shown ? ' ct-picked' : ''}`, 'data-no': c.no, onclick: () => choose(c.no) },
      make('span', { class: 'ct-case-what' }, make('b', {}, what), make('small', {}, [say('kind_' + c.kind), said, c.station_name, `${clock(c.received)} ${say('channel_' + c.channel)}`].filter(Boolean).join(' · '))),
      make('span', { class: 'ct-case-state' }, say('status_' + c.status), c.measured_c !== null && c.status !== 'closed' ? ` ${number(c.measured_c)} °C` : ''), due(c.clock));
  }
  function group(g, cases) {
    const names = g.stations.map(s => s.name), few = names.length > 3 ? say('group_more', { names: names.slice(0, 3).join('、'), n: names.length }) : names.join('、');
    const key = g.cases.join(), is = open.has(key);
    const text = say(g.node ? 'group_branch' : 'group_station', { stations: few, node: g.node, n: names.length, kind: say('kind_' + g.kind) });
    return [make('button', { type: 'button', class: 'ct-case ct-case-group', 'aria-expanded': String(is), onclick: () => { if (is) open.delete(key); else open.add(key); drawn = ''; drawList(); } },
      make('span', { class: 'ct-case-what' }, make('b', {}, `${is ? '▾' : '▸'} ${text}`), make('small', {}, `${say('group_one')} · ${clock(g.first)} – ${clock(g.last)}`)),
      make('span', { class: 'ct-case-state' }, make('b', {}, say('group_count', { n: g.cases.length }))), due(g.clock)),
    is && cases.map(c => line(c, true))];
  }
  function drawList() {
    const box = root?.querySelector('.ct-case-list');
    if (!box || !data) return;
    if (!data.ok) { box.replaceChildren(make('p', { class: 'ct-quiet' }, why(data))); drawn = ''; return; }
    const text = JSON.stringify([{ ...data, now: Math.floor(data.now / 60) }, shown, [...open]]);
    if (text === drawn) return;
    drawn = text;
    const by = new Map(data.cases.map(c => [c.no, c])), grouped = new Set(data.groups.flatMap(g => g.cases));
    const rows = [...data.groups.map(g => ({ due: g.clock.due, e: () => group(g, g.cases.map(n => by.get(n)).filter(Boolean)) })),
      ...data.cases.filter(c => c.clock.due && !grouped.has(c.no)).map(c => ({ due: c.clock.due, e: () => line(c) }))].sort((a, b) => a.due - b.due);
    const done = data.cases.filter(c => !c.clock.due);
    const calm = !rows.length && make('p', { class: 'ct-calm' }, say(data.count.all ? 'calm' : 'empty'));
    box.replaceChildren(...[calm, rows.map(r => r.e()), done.length && make('h3', {}, say('done')), done.map(c => line(c))].flat(9).filter(Boolean));
    const n = data.count, figure = k => { const x = data.figures[k]; return k.endsWith('share') ? (x === null ? '--' : `${number(100 * x)} %`) : number(x, 2); };
    root.querySelector('.ct-case-counts').replaceChildren(
      ...['open', 'over', 'near', 'today'].map(k => make('span', { class: n[k] && k === 'over' ? 'ct-over' : n[k] && k === 'near' ? 'ct-near' : '' }, make('b', {}, n[k]), say('count_' + k))),
      ...FIGURES.map(k => make('span', { title: `${words['how_' + k]} · ${say('week')}`, class: 'ct-case-figure' }, make('b', {}, figure(k)), words['fig_' + k])));
    root.querySelector('.ct-case-limits').textContent = `${say('limits', { measure: data.limits.measure_h, solve: data.limits.solve_h })}${data.limits.own ? '' : ' · ' + say('limits_default')}`;
    root.dataset.ready = String(Number(root.dataset.ready || 0) + 1);
  }

  // ---- one building, by what is typed ---------------------------------------------------------------------
  function finder(id, chosen) {
    const box = make('div', { class: 'ct-finder' }), found = make('div', { class: 'ct-finder-list', role: 'listbox', hidden: true });
    let rows = [], at = 0, asked = '', last = '', busy = null;
    const state = { id: '', pick: null };
    const take = b => { state.id = b.id; last = input.value = b.address && b.address !== b.name ? `${b.name} · ${b.address}` : b.name; found.hidden = true; input.classList.add('ct-taken'); chosen(b); };
    const draw = () => {
      found.replaceChildren(...(rows.length ? rows.map((b, k) => make('button', { type: 'button', role: 'option', tabindex: '-1', class: k === at ? 'ct-at' : '', onmousedown: e => { e.preventDefault(); take(b); } },
        make('b', {}, b.name), make('small', {}, [b.address, b.station || say('not_heated'), say('homes', { n: b.homes }), b.home].filter(Boolean).join(' · ')))) : [make('p', { class: 'ct-quiet' }, say('building_none'))]));
      found.hidden = !input.value.trim() || input.value === last;
    };
    const look = async () => {
      const text = asked = input.value.trim();
      const a = text ? await ask(`/buildings?q=${encodeURIComponent(text)}`) : { ok: true, buildings: [] };
      if (text !== asked) return;
      rows = a.ok ? a.buildings : []; at = 0; draw();
    };
    const input = make('input', { type: 'text', id, autocomplete: 'off', maxlength: 120, placeholder: say('building_hint'), oninput: () => { state.id = ''; input.classList.remove('ct-taken'); busy = look(); },
      onkeydown: async e => {
        if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); at = Math.max(0, Math.min(rows.length - 1, at + (e.key === 'ArrowDown' ? 1 : -1))); draw(); }
        else if (e.key === 'Enter' && !state.id && input.value.trim()) { e.preventDefault(); await (busy || look()); if (rows[at]) take(rows[at]); }
        else if (e.key === 'Escape') found.hidden = true;
      }, onblur: async () => { await busy; if (!state.id && rows.length === 1) take(rows[0]); found.hidden = true; } });
    state.give = (id, text) => { state.id = id; last = input.value = text; if (id) input.classList.add('ct-taken'); };
    box.append(input, found);
    return { box, input, state };
  }
  function choices(name, values, first, label) {
    const buttons = values.map(v => make('button', { type: 'button', class: 'ct-choice', 'data-value': v, 'aria-pressed': String(v === first), onclick: () => { state.value = v; for (const b of buttons) b.setAttribute('aria-pressed', String(b.dataset.value === v)); } }, say(`${name}_${v}`)));
    const state = { value: first, box: make('div', { class: 'ct-choices', role: 'group', 'aria-label': label }, make('span', {}, label), buttons) };
    return state;
  }
  const field = (key, e) => make('label', {}, make('span', {}, say(key)), e);
  const input = (id, type, more) => make('input', { type, id, autocomplete: 'off', ...more });
  const value = e => (e.value === '' ? null : Number(e.value));

  // ---- a new call -----------------------------------------------------------------------------------------
  function drawForm(c) {
    const mend = Boolean(c), box = make('p', { class: 'ct-note', role: 'status', id: 'case-said' });
    const find = finder('case-building', b => { if (b.home && !home.value) home.value = b.home; show(b.id); (home.value ? room : home).focus(); });
    const home = input('case-home', 'text', { maxlength: 40, placeholder: '2-301' }), room = input('case-room', 'number', { min: 0, max: 40, step: 0.1 });
    const phone = input('case-phone', 'tel', { maxlength: 30 }), text = make('textarea', { id: 'case-text', rows: 2, maxlength: 500 }), t = input('case-t', 'text', { maxlength: 16, placeholder: '2026-11-22 07:30' });
    const kind = choices('kind', list('kinds'), c?.kind || 'cold', say('kind')), channel = choices('channel', list('channels'), c?.channel || 'phone', say('channel'));
    if (mend) { find.state.give(c.building, c.place); home.value = c.home; text.value = c.text; room.value = c.room_c ?? ''; }
    const body = () => ({ building: find.state.id, home: home.value, kind: kind.value, channel: channel.value, text: text.value, room_c: value(room), ...(mend ? {} : { phone: phone.value, t: t.value }) });
    const send = make('button', { class: 'ct-main-button', id: 'case-submit' }, say(mend ? 'save' : 'submit'));
    const submit = async e => {
      e.preventDefault();
      send.disabled = true;
      const a = await ask(mend ? `/${c.no}` : '', mend ? { act: 'corrected', seen: c.lines, ...body() } : body());
      send.disabled = false;
      if (!a.ok) { box.dataset.level = 'bad'; box.textContent = say('failed', { why: why(a) }); return; }
      await reload();
      if (mend) { choose(c.no); return; }
      drawSide();
      const fresh = data.cases?.find(x => x.no === a.no);
      const said = root.querySelector('#case-said');
      if (said && fresh) said.replaceChildren(make('button', { type: 'button', class: 'ct-button', onclick: () => choose(a.no) }, say('taken', { name: `${fresh.place} ${fresh.home} ${fresh.name}` })));
      root.querySelector('#case-building')?.focus();
    };
    const e = make('form', { class: 'ct-form ct-case-form', onsubmit: submit }, make('label', {}, make('span', {}, say('building')), find.box), make('div', { class: 'ct-pair' }, field('home', home), field('room_c', room)), kind.box, channel.box, field('text', text),
      !mend && make('div', { class: 'ct-pair' }, field('phone', phone), field('t', t)), make('div', { class: 'ct-buttons' }, send, mend && make('button', { type: 'button', class: 'ct-button', onclick: () => choose(c.no) }, say('back'))), box);
    return e;
  }
  function drawImport() {
    const box = make('div', { class: 'ct-case-import', role: 'status' });
    const file = make('input', { type: 'file', id: 'case-import', accept: '.xlsx,.csv', onchange: async () => {
      const f = file.files[0];
      if (!f) return;
      box.textContent = say('import_busy');
      const a = await ask(`/import?name=${encodeURIComponent(f.name)}`, f);
      file.value = '';
      if (!a.ok) { box.replaceChildren(make('p', { 'data-level': 'bad' }, say('failed', { why: why(a) }))); return; }
      box.replaceChildren(make('p', {}, say('import_done', a)), make('ul', {}, a.troubles.map(x => make('li', { 'data-level': 'bad' }, `${say('import_row', x)}${x.number ? ` [${x.number}]` : ''}`))));
      reload();
    } });
    return make('details', { class: 'ct-case-more' }, make('summary', {}, say('import')), make('p', { class: 'ct-quiet' }, say('import_hint')), file, box);
  }

  // ---- one case -------------------------------------------------------------------------------------------
  async function act(c, body, box) {
    const a = await ask(`/${c.no}`, { seen: c.lines, ...body });
    await reload();
    if (!a.ok) { const b = root.querySelector('#case-said') || box; b.dataset.level = 'bad'; b.textContent = say('failed', { why: why(a) }); return; }
    form = null; drawSide();
    if (a.said) { const b = root.querySelector('#case-said'); b.dataset.level = 'watch'; b.textContent = say('not_noted'); b.title = a.said; }
  }
  function told(s) {
    const f = s.facts, out = [];
    if (s.act === 'measured' || (f.room_c !== undefined && f.room_c !== null)) out.push(`${number(f.room_c)} °C`);
    if (f.crew) out.push(f.crew);
    if (f.cause) out.push(say('cause_' + f.cause));
    if (f.satisfied !== undefined) out.push(say('satisfied_' + f.satisfied));
    if (f.of) out.push(say('act_' + f.of));
    if (s.act !== 'received' && f.text) out.push(f.text);
    if (s.noted && !s.elsewhere) out.push(say('noted'));
    if (s.elsewhere) out.push(say('elsewhere'));
    if (!s.stands) out.push(say('stands_not'));
    return out.join(' · ');
  }
  function stepForm(c, name) {
    const text = input('step-text', 'text', { maxlength: 200 }), t = input('step-t', 'text', { maxlength: 16, placeholder: '2026-11-22 07:30' }), box = make('p', { class: 'ct-note', role: 'status' });
    const crew = input('step-crew', 'text', { list: 'case-crews', maxlength: 40, value: data.crews[0] || '' }), room = input('step-room', 'number', { min: 0, max: 40, step: 0.1, required: true });
    const home = input('step-home', 'text', { maxlength: 40, value: c.home }), cause = make('select', { id: 'step-cause' }, list('causes').map(k => make('option', { value: k }, say('cause_' + k))));
    const of = {
      dispatched: [[field('crew', crew)], () => ({ crew: crew.value })], measured: [[make('div', { class: 'ct-pair' }, field('measured_c', room), field('home', home))], () => ({ room_c: value(room), home: home.value })],
      solved: [[field('cause', cause)], () => ({ cause: cause.value })], satisfied: [[], () => ({ act: 'called', satisfied: true })], reopened: [[], () => ({ act: 'called', satisfied: false })],
    }[name];
    const e = make('form', { class: 'ct-form ct-case-step', onsubmit: ev => { ev.preventDefault(); act(c, { act: name, ...of[1](), text: text.value, t: t.value }, box); } },
      of[0], make('div', { class: 'ct-pair' }, field('note', text), field('t_done', t)), make('div', { class: 'ct-buttons' }, make('button', { class: 'ct-main-button', id: 'step-save' }, say('save'))), box, make('datalist', { id: 'case-crews' }, data.crews.map(x => make('option', { value: x }))));
    requestAnimationFrame(() => e.querySelector('input, select')?.focus());
    return e;
  }
  const next = c => ({ received: ['dispatched', 'measured', 'solved'], reopened: ['dispatched', 'measured', 'solved'], dispatched: ['measured', 'solved', 'dispatched'], measured: ['solved', 'dispatched', 'measured'], solved: ['satisfied', 'reopened'], closed: ['reopened'] }[c.status] || []);
  function drawCase(c) {
    const facts = [say('kind_' + c.kind), c.room_c !== null ? say('said_c', { v: number(c.room_c) }) : '', c.station_name, `${clock(c.received)} ${say('channel_' + c.channel)}`, c.name].filter(Boolean).join(' · ');
    const ring = c.phone && make('p', {}, `☎ ${c.phone} `, make('button', { type: 'button', class: 'ct-button', id: 'case-phone-show', onclick: async e => { const p = e.target.parentElement, a = await ask(`/${c.no}/phone`, {}); p.textContent = a.ok ? `☎ ${a.phone}` : why(a); } }, say('do_phone')));
    const buttons = data.may && !bare() && make('div', { class: 'ct-buttons' },
      next(c).map(n => make('button', { type: 'button', class: n === form ? 'ct-button ct-at' : 'ct-button', 'data-act': n, onclick: () => { form = n; drawSide(); } }, say('do_' + n))),
      c.status !== 'withdrawn' && make('button', { type: 'button', class: 'ct-button ct-quiet-button', 'data-act': 'corrected', onclick: () => { form = 'corrected'; drawSide(); } }, say('do_corrected')),
      c.undo && make('button', { type: 'button', class: 'ct-button ct-quiet-button', 'data-act': 'undone', onclick: () => { const name = say('act_' + c.undo); if (window.confirm(say('sure_undone', { act: name }))) act(c, { act: 'undone' }); } }, say('do_undone', { act: say('act_' + c.undo) })));
    const life = make('ol', { class: 'ct-case-life' }, c.steps.map(s => make('li', { class: s.stands ? '' : 'ct-struck' }, make('time', {}, clock(s.t)), make('b', {}, say('act_' + s.act)), make('span', {}, told(s)), make('small', {}, s.who || say('here')))));
    return [make('p', { class: 'ct-quiet' }, facts), c.text && make('blockquote', {}, c.text), ring, make('div', { class: 'ct-case-now' }, make('b', {}, say('status_' + c.status)), due(c.clock)), buttons,
      form && form !== 'corrected' && next(c).includes(form) && stepForm(c, form), make('p', { class: 'ct-note', role: 'status', id: 'case-said' }), make('h3', {}, say('life')), life];
  }
  function drawSide() {
    const box = root?.querySelector('.ct-case-side');
    if (!box || !data) return;
    const c = data.ok && data.cases.find(x => x.no === shown);
    const back = make('button', { type: 'button', class: 'ct-button', id: 'case-new', onclick: () => choose(0) }, say('new_short'));
    if (!data.ok) { box.replaceChildren(make('h2', {}, say('new')), make('p', { class: 'ct-quiet' }, why(data))); return; }
    if (c) box.replaceChildren(make('h2', {}, [c.place, bare() ? '' : c.home].filter(Boolean).join(' '), data.may && back), make('div', { class: 'ct-scroll' }, ...(form === 'corrected' ? [drawForm(c)] : drawCase(c)).flat(9).filter(Boolean)));
    else if (!data.may) box.replaceChildren(make('h2', {}, say('new')), make('p', { class: 'ct-notice' }, say('read_only')));
    else box.replaceChildren(make('h2', {}, say('new')), make('div', { class: 'ct-scroll' }, drawForm(null), drawImport()));
  }
  function choose(no) {
    shown = no; form = null; drawn = '';
    const c = data?.cases?.find(x => x.no === no);
    show(c ? c.building : '');
    drawList(); drawSide();
    if (window.matchMedia('(max-width: 900px)').matches) root.querySelector('.ct-case-side')?.scrollIntoView({ block: 'start' });
    if (!no && !bare()) root.querySelector('#case-building')?.focus();
  }

  // ---- the whole ------------------------------------------------------------------------------------------
  async function reload() {
    const before = data?.cases?.find(c => c.no === shown)?.lines, answer = await ask('');
    if (!root) return;
    const was = data; data = answer; drawList();
    const now = data.cases?.find(c => c.no === shown)?.lines, busy = form !== null;
    const typing = root.querySelector('.ct-case-form, .ct-case-step'); // what is being typed outlives a store that is away
    if (!typing && ((was && was.ok !== data.ok) || (shown && before !== now && !busy))) drawSide();
  }
  function boot(element) {
    root = element; words = JSON.parse(element.dataset.words); lang = element.dataset.lang;
    data = null; shown = 0; form = null; drawn = '';
    element.replaceChildren(make('section', { class: 'ct-panel ct-case-panel' }, make('h2', {}, say('list')), make('div', { class: 'ct-case-counts' }), make('div', { class: 'ct-case-list ct-scroll' }, make('div', { class: 'ct-skeleton' }), make('div', { class: 'ct-skeleton' })), make('p', { class: 'ct-case-limits ct-quiet' })),
      ...(bare() ? [] : [make('section', { class: 'ct-panel ct-case-side' })]));
    reload().then(() => { drawSide(); if (!bare() && !window.matchMedia('(max-width: 900px)').matches) root?.querySelector('#case-building')?.focus(); });
    clearInterval(timer);
    timer = setInterval(() => { if (root?.isConnected) reload(); else clearInterval(timer); }, 5000);
  }
  new MutationObserver(() => {
    const element = document.getElementById('complaints-root');
    if (element && element !== root) boot(element);
    else if (!element && root) { root = null; clearInterval(timer); }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
