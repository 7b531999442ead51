/* The forms of the five steps and what each block made of the message. */
(() => {
  'use strict';
  const A = window.CT.access, { KINDS, make, say } = A;
  const CUSTOM = '*', IGNORE = '-';
  let host = null, result = null;

  function mount(form, found) { host = form; result = found; drawForm(); drawResult(); }

  function drawForm() {
    const tabs = make('div', { class: 'ct-ob-steps', role: 'tablist' }, KINDS.map((kind, i) => make('button', {
      type: 'button', role: 'tab', id: `access-step-${kind}`, 'aria-selected': String(A.step === kind), class: `ct-step ct-is-${A.lookup(kind).state}`,
      onclick: () => { if (A.data.may) A.reach(kind); A.step = kind; A.note = null; A.changed(true); },
    }, `${i + 1} ${A.kindName(kind)}`)));
    const next = KINDS[KINDS.indexOf(A.step) + 1];
    host.replaceChildren(tabs, make('div', { class: 'ct-ob-form', id: 'access-form' }, FORMS[A.step]()), make('div', { class: 'ct-note', id: 'access-note', role: 'status' }),
      next ? make('button', { type: 'button', class: 'ct-main-button', id: 'access-next', onclick: () => { A.reach(next); A.step = next; A.note = null; A.changed(true); document.getElementById('access-next')?.focus(); } }, say('next', { name: A.kindName(next) })) : '');
    drawNote();
  }

  function drawNote() {
    const e = document.getElementById('access-note');
    if (e) { e.textContent = A.note ? A.note.text : ''; e.classList.toggle('ct-bad-note', !!A.note?.bad); }
  }

  // ---- small inputs -------------------------------------------------------------------------------------
  const edit = (target, name, cast) => e => { target[name] = cast ? cast(e.target) : e.target.value; A.changed(); };
  const field = (label, input) => make('label', { class: 'ct-field' }, make('span', {}, label), input);
  const suchAs = what => say('such_as', { what });
  const text = (target, name, id, hint) => make('input', { type: 'text', id, value: target[name] ?? '', placeholder: hint ? suchAs(hint) : '', spellcheck: 'false', autocomplete: 'off', oninput: edit(target, name) });
  const number = (target, name, id) => make('input', { type: 'number', step: 'any', id, value: target[name] ?? '', oninput: edit(target, name, e => (e.value === '' ? 0 : Number(e.value))) });
  function choice(value, options, onchange, id) {
    const e = make('select', { id, onchange: x => onchange(x.target.value) }, options.map(([v, name]) => make('option', { value: v }, name)));
    e.value = value ?? '';
    return e;
  }
  const button = (label, onclick, id, kind) => make('button', { type: 'button', class: kind || 'ct-button', id, onclick }, label);

  // ---- source -------------------------------------------------------------------------------------------
  function drawSource() {
    const f = A.flow, dialects = A.data.dialects.map(d => [d, d === 'mapped' ? say('dialect_mapped') : d]);
    if (!A.filterWanted) A.filterWanted = { filter: '' };
    const wanted = A.filterWanted;
    if (!wanted.filter) wanted.filter = f.source?.filter || A.message.topic || '';
    const heard = A.heard && A.heard.messages.length ? make('div', {}, make('p', { class: 'ct-quiet' }, say('heard', { n: A.heard.count })), make('ul', { class: 'ct-list ct-heard' },
      A.heard.messages.slice().reverse().map(m => make('li', {}, button([make('code', {}, m.topic), make('small', {}, m.payload.slice(0, 90))], () => { A.message = m; recognise(); }, null, 'ct-row'))))) : '';
    return [
      make('div', { class: 'ct-fields' },
        field(say('listen_to'), make('input', { type: 'text', id: 'access-listen-filter', value: wanted.filter, placeholder: suchAs('plant/#'), spellcheck: 'false', autocomplete: 'off', oninput: e => { wanted.filter = e.target.value; } })),
        make('div', { class: 'ct-buttons' }, button(say('listen'), () => listen(false), 'access-listen'), button(say('test'), () => listen(true), 'access-test'))),
      heard,
      make('div', { class: 'ct-fields' }, field(say('topic'), text(A.message, 'topic', 'access-topic', 'plant/PLC03/up'))),
      field(say('payload'), make('textarea', { id: 'access-payload', rows: '5', placeholder: suchAs('{"ts": 1764000000000, "T1": 85.2, "P1": 0.62}'), spellcheck: 'false', value: A.message.payload, oninput: edit(A.message, 'payload') })),
      make('div', { class: 'ct-buttons' }, button(say('recognise'), recognise, 'access-recognise', 'ct-main-button')),
      A.matches.length ? make('div', { class: 'ct-matches' }, make('span', { class: 'ct-quiet' }, say('proposed')), A.matches.map(m => button(`${m.name} ${Math.round(100 * m.score)} %`, () => adopt(m), null, 'ct-button' + (f.model === m.id ? ' ct-active' : '')))) : '',
      make('div', { class: 'ct-fields' }, field(say('name'), text(f, 'name', 'access-name', say('name_such_as'))), field(say('id'), text(f, 'id', 'access-id', 'station-3')),
        field(say('dialect'), choice(f.dialect, dialects, v => { f.dialect = v; f.source = v === 'mapped' ? f.source || { filter: '' } : null; A.changed(true); }, 'access-dialect')),
        f.source ? field(say('filter'), text(f.source, 'filter', 'access-filter', 'plant/+/up')) : '', field(say('vendor'), text(f, 'vendor'))),
    ];
  }
  async function listen(test) {
    const filter = test && A.flow.source?.filter ? A.flow.source.filter : A.filterWanted.filter;
    A.tell(say('listening'));
    const found = await A.ask('listen', { filter, seconds: 5 });
    if (!found.messages) { A.tell(found.error || say('away'), true); return; }
    A.heard = found;
    if (!found.count) { A.tell(say('heard_none'), true); return; }
    if (test) { A.message = found.messages[found.messages.length - 1]; }
    A.note = { text: test ? say('test_ok', { n: found.count }) : say('heard', { n: found.count }) };
    A.changed(true);
  }
  async function recognise() {
    delete A.message.t;
    const found = await A.ask('propose', { message: A.message });
    if (!found.flow) { A.tell(found.error || say('away'), true); return; }
    const kept = A.flow, message = A.message;
    A.open({ ...found.flow, id: kept.id || found.flow.id, name: kept.name || found.flow.name, vendor: kept.vendor, blocks: kept.blocks, links: kept.links,
      devices: merge(kept.devices, found.flow.devices), maps: kept.maps.length ? kept.maps : found.flow.maps }, message, found.matches);
  }
  const merge = (old, fresh) => [...old, ...fresh.filter(d => !old.some(o => o.external_id === d.external_id))];
  function adopt(m) { A.flow.model = m.id; A.flow.kind = m.id; A.flow.maps = m.maps.map(x => ({ ...x })); A.changed(true); }

  // ---- decode -------------------------------------------------------------------------------------------
  function drawDecode() {
    const s = A.flow.source;
    if (!s) return make('p', { class: 'ct-quiet' }, say('known_dialect'));
    const from = [['topic', say('from_topic')], ['field', say('from_field')], ['fixed', say('from_fixed')]];
    const forms = ['auto', 'ms', 's', 'iso', 'local'].map(x => [x, say('form_' + x)]);
    return make('div', { class: 'ct-fields' },
      field(say('format'), choice(s.format || 'json', [['json', 'JSON'], ['csv', 'CSV']], v => { s.format = v; A.changed(); }, 'access-format')),
      field(say('device_from'), choice(s.device_from || 'topic', from, v => { s.device_from = v; A.changed(); }, 'access-device-from')),
      field(say('device_at'), text(Object.assign(s, { device_at: s.device_at ?? '2' }), 'device_at', 'access-device-at')),
      field(say('rows'), text(s, 'rows', 'access-rows')), field(say('values'), text(s, 'values', 'access-values')),
      field(say('key_field'), text(s, 'key_field')), field(say('value_field'), text(s, 'value_field')),
      field(say('time'), text(s, 'time', 'access-time')),
      field(say('time_format'), choice(s.time_format || 'auto', forms, v => { s.time_format = v; A.changed(); })),
      make('label', { class: 'ct-field ct-check' }, make('input', { type: 'checkbox', checked: !!s.text_numbers, onchange: edit(s, 'text_numbers', e => e.checked) }), make('span', {}, say('text_numbers'))));
  }

  // ---- map ----------------------------------------------------------------------------------------------
  const model = () => A.data.models.find(m => m.id === A.flow.model);
  function keys() {
    const seen = new Map();
    for (const r of A.lookup('decode').rows) if (!seen.has(r.key)) seen.set(r.key, r.number);
    for (const m of A.flow.maps) if (!seen.has(m.external_key)) seen.set(m.external_key, null);
    for (const k of A.flow.ignore) if (!seen.has(k)) seen.set(k, null);
    return [...seen];
  }
  function drawMap() {
    const f = A.flow, models = [['', say('no_model')], ...A.data.models.map(m => [m.id, m.name])];
    const shape = keys().map(([k]) => k).join('\n');
    host.dataset.keys = shape;
    return [
      make('div', { class: 'ct-fields' }, field(say('model'), choice(f.model, models, v => { f.model = v; f.kind = v || 'rtu'; A.changed(true); }, 'access-model'))),
      make('div', { class: 'ct-scroll' }, make('table', { class: 'ct-table ct-maps' }, make('thead', {}, make('tr', {}, ['key', 'sample', 'becomes', 'label', 'point_name', 'quantity', 'unit', 'low', 'high', 'period'].map(k => make('th', {}, say(k))))),
        make('tbody', {}, keys().map(mapRow)))),
      drawDevices(),
    ];
  }
  function mapRow([key, sample]) {
    const f = A.flow, row = f.maps.find(m => m.external_key === key), known = model()?.properties || [];
    const now = f.ignore.includes(key) ? IGNORE : !row ? '' : known.some(p => p.key === row.key) ? row.key : CUSTOM;
    const options = [['', say('choose')], ...known.map(p => [p.key, `${p.name} · ${p.unit}`]), [CUSTOM, say('own')], [IGNORE, say('ignore')]];
    const units = row ? A.data.quantities.find(q => q.key === row.quantity)?.units || [] : [];
    return make('tr', { 'data-key': key }, make('td', {}, make('code', {}, key)), make('td', {}, sample === null ? '' : String(sample)),
      make('td', {}, choice(now, options, v => become(key, sample, v), `access-become-${key}`)),
      row ? [make('td', {}, text(row, 'name')), make('td', {}, text(row, 'key')),
        make('td', {}, choice(row.quantity, A.data.quantities.map(q => [q.key, q.name]), v => { row.quantity = v; row.unit = A.data.quantities.find(q => q.key === v).units[0] || '1'; A.changed(true); }, `access-quantity-${key}`)),
        make('td', {}, choice(row.unit, (units.includes(row.unit) ? units : [row.unit, ...units]).map(u => [u, u]), v => { row.unit = v; A.changed(); }, `access-unit-${key}`)),
        make('td', {}, number(row, 'low')), make('td', {}, number(row, 'high')), make('td', {}, number(row, 'period_s'))] : make('td', { colspan: '7' }));
  }
  async function become(key, sample, value) {
    const f = A.flow;
    f.ignore = f.ignore.filter(k => k !== key);
    const others = f.maps.filter(m => m.external_key !== key);
    if (value === IGNORE) f.ignore = [...f.ignore, key];
    if (value === '' || value === IGNORE) f.maps = others;
    else if (value === CUSTOM) {
      const old = f.maps.find(m => m.external_key === key), plain = key.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^[^a-z]+/, '');
      f.maps = [...others, { ...(old || { external_key: key, quantity: 'count', unit: '1', low: 0, high: 1000000, period_s: 300, deadband: 0, name: key }), key: plain || 'value' }];
    } else {
      const found = await A.ask('row', { model: f.model, key: value, external_key: key, number: sample });
      if (found.external_key) f.maps = [...others, found]; else A.tell(found.error || say('away'), true);
    }
    A.changed(true);
  }

  function drawDevices() {
    const f = A.flow, places = make('datalist', { id: 'access-places' }, A.data.places.slice(0, 3000).map(p => make('option', { value: p.id }, p.name)));
    const file = make('input', { type: 'file', id: 'access-table', accept: '.xlsx', hidden: true, onchange: e => upload(e.target) });
    const rows = f.devices.slice(0, 200).map((d, i) => make('tr', { 'data-device': d.external_id },
      make('td', {}, text(d, 'external_id')), make('td', {}, text(d, 'name')),
      make('td', {}, make('input', { type: 'text', list: 'access-places', class: 'ct-place', value: d.place_id || '', oninput: edit(d, 'place_id') })),
      make('td', {}, text(d, 'part')), make('td', {}, button(say('remove'), () => { f.devices = f.devices.filter((_, k) => k !== i); A.changed(true); }))));
    return make('div', {}, make('h3', {}, `${say('devices')} ${f.devices.length}`), places, file,
      make('div', { class: 'ct-scroll' }, make('table', { class: 'ct-table ct-devices' }, make('thead', {}, make('tr', {}, ['device', 'label', 'place', 'part'].map(k => make('th', {}, say(k))), make('th', {}))), make('tbody', {}, rows))),
      make('div', { class: 'ct-buttons' },
        button(say('add'), () => { f.devices = [...f.devices, { external_id: '', name: '', place_id: '', part: '' }]; A.changed(true); }, 'access-add'),
        button(say('template'), template, 'access-template'), button(say('upload'), () => file.click(), 'access-upload')),
      A.table ? tableReport(A.table) : '');
  }
  async function template() {
    const r = await fetch(`/api/access/template?lang=${A.lang}`, { method: 'POST', body: JSON.stringify({ flow: A.flow }) });
    if (r.ok) save(await r.blob(), `${A.flow.id || 'devices'}.xlsx`); else A.tell(say('away'), true);
  }
  async function upload(input) {
    const file = input.files[0];
    if (!file) return;
    const body = new Blob([JSON.stringify({ flow: A.flow }), '\n', await file.arrayBuffer()]);
    const found = await A.ask('table', body, true);
    input.value = '';
    if (!found.rows) { A.tell(found.error || say('away'), true); return; }
    if (found.ok) A.flow.devices = found.devices;
    A.table = found;
    A.changed(true);
  }
  function tableReport(found) {
    const bad = found.rows.filter(r => r.troubles.length);
    return make('div', { class: bad.length ? 'ct-bad-note' : 'ct-quiet', id: 'access-table-report', role: 'status' },
      make('p', {}, bad.length ? say('table_bad', { bad: bad.length, n: found.rows.length }) : say('table_good', { n: found.rows.length })),
      make('ul', {}, bad.slice(0, 100).map(r => make('li', {}, `${say('row', { n: r.row })} ${r.device}：${r.troubles.join('；')}`))));
  }
  function save(blob, name) {
    const a = make('a', { href: URL.createObjectURL(blob), download: name });
    document.body.append(a); a.click(); a.remove();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  }

  // ---- check and publish --------------------------------------------------------------------------------
  function drawCheck() {
    const all = KINDS.flatMap(k => A.lookup(k).troubles.map(t => ({ ...t, kind: k })));
    return make('ul', { class: 'ct-troubles' }, all.length ? all.map(t => make('li', { class: t.error ? 'ct-error' : 'ct-warning' }, make('b', {}, A.kindName(t.kind)), ' ', t.text)) : make('li', {}, say('state_ok')));
  }
  function drawPublish() {
    const k = A.kept;
    return [
      make('div', { class: 'ct-buttons' }, button(say('publish'), publish, 'access-publish', 'ct-main-button'),
        button(say('export'), () => save(new Blob([JSON.stringify({ county_twin_flow: 1, flow: A.flow }, null, 1)], { type: 'application/json' }), `${A.flow.id || 'flow'}.json`), 'access-export'),
        k && k.live ? button(say('undo'), () => act('undo', { id: k.id }), 'access-undo') : '', k && k.live ? button(say('reread'), reread, 'access-reread') : ''),
      k && k.live && k.can_simulate ? make('div', { class: 'ct-buttons' }, button(say(k.simulated ? 'simulate_stop' : 'simulate'), () => act('simulate', { id: k.id, on: !k.simulated }), 'access-simulate'), make('small', { class: 'ct-quiet' }, say('simulate_help'))) : '',
      k && k.live ? make('div', {}, make('h3', {}, say('charts')), make('ul', { class: 'ct-list ct-points', id: 'access-points' }, k.points.slice(0, 40).map(p => make('li', {}, make('a', { href: `${A.chart}${A.chart.includes('?') ? '&' : '?'}point=${encodeURIComponent(p)}` }, p)))),
        make('h3', {}, say('documents')), make('ul', { class: 'ct-list', id: 'access-documents' }, k.flow.devices.slice(0, 40).map(d => make('li', {}, make('a', { href: `/documents?about=${encodeURIComponent(`device:${k.id}.${d.external_id}`)}&lang=${A.lang}` }, d.name || d.external_id))))) : '',
      k ? make('div', {}, make('h3', {}, say('versions')), make('ul', { class: 'ct-list' }, k.versions.slice().reverse().map(v => make('li', { class: v.number === k.live ? 'ct-active' : '' },
        say('version', { n: v.number, t: A.clock(v.t), by: v.by }), ' ', v.number === k.live ? make('b', {}, say('state_live')) : button(say('restore'), () => act('version', { id: k.id, number: v.number })))))) : '',
    ];
  }
  async function publish() {
    A.tell(say('testing'));
    const found = await A.ask('publish', { flow: A.flow, revision: A.revision });
    if (!found.ok) {
      A.tell(found.troubles ? say('refused') + ' ' + found.troubles.filter(t => t.error).map(t => t.text).join('；') : found.error || say('away'), true);
      if (found.troubles?.some(t => t.code === 'conflict')) { await A.reload(); A.revision = A.data.revision; }
      return;
    }
    await after(found.revision);
  }
  async function act(name, body) {
    const found = await A.ask(name, body);
    if (!found.ok) { A.tell((found.troubles || []).map(t => t.text).join('；') || found.error || say('away'), true); return; }
    const id = A.flow.id;
    await A.reload();
    const kept = A.data.flows.find(f => f.id === id);
    if (kept && name !== 'simulate') { const step = A.step, message = A.message; A.open(kept.flow, message); A.step = step; }
    await after(found.revision, say('saved'));
  }
  async function after(revision, done) {
    A.revision = revision;
    A.note = { text: done || say('published') };
    await A.reload();
    A.changed(true);
    for (let i = 0; i < 40; i++) {
      const said = await A.ask('taken');
      if (said.taken !== null && said.taken >= revision) { A.tell(say('followed')); host.dataset.followed = String(revision); return; }
      await new Promise(next => setTimeout(next, 500));
    }
  }
  async function reread() {
    const found = await A.ask('reread', { id: A.kept.id });
    A.tell(found.count === undefined ? found.error || say('away') : say('reread_done', { n: found.count }), found.count === undefined);
  }
  const FORMS = { source: drawSource, decode: drawDecode, map: drawMap, check: drawCheck, publish: drawPublish };

  // ---- what the block made of it ------------------------------------------------------------------------
  const COLUMNS = {
    decode: [['device', r => r.device], ['key', r => r.key], ['value', r => String(r.number)], ['moment', r => A.clock(r.t)]],
    map: [['key', r => r.key], ['point', r => r.point || say(r.state === 'ignored' ? 'ignored' : 'open')], ['value', r => (r.value === undefined ? '' : `${window.CT.formatNumber(r.value, r.decimals)} ${r.unit}`)]],
    check: [['key', r => r.key], ['value', r => (r.value === undefined ? '' : `${window.CT.formatNumber(r.value, r.decimals)} ${r.unit}`)], ['quality', r => say('quality_' + r.quality)]],
    publish: [['point', r => r.point], ['label', r => r.name], ['device', r => r.device], ['quality', r => say(r.new ? 'new_point' : 'old_point')]],
  };
  function drawResult() {
    if (!result || !host) return;
    if (A.step === 'check') host.querySelector('#access-form').replaceChildren(drawCheck());
    if (A.step === 'map' && host.dataset.keys !== keys().map(([k]) => k).join('\n') && !host.contains(document.activeElement?.closest('input'))) drawForm();
    for (const kind of KINDS) { const tab = host.querySelector(`#access-step-${kind}`); if (tab) tab.className = `ct-step ct-is-${A.lookup(kind).state}`; }
    const o = A.lookup(A.step), columns = COLUMNS[A.step];
    const source = A.step === 'source' && o.rows[0];
    result.replaceChildren(make('h2', {}, `${say('result')} · ${A.kindName(A.step)} `, make('small', { class: `ct-is-${o.state}` }, say('state_' + o.state))),
      make('div', { class: 'ct-scroll' },
        make('ul', { class: 'ct-troubles', id: 'access-troubles' }, A.trouble ? make('li', { class: 'ct-error' }, A.trouble) : '', o.troubles.map(t => make('li', { class: t.error ? 'ct-error' : 'ct-warning' }, t.text))),
        !A.message.payload && !o.rows.length && !o.troubles.length ? make('p', { class: 'ct-quiet' }, say('result_hint')) : '',
        source ? [make('p', { class: 'ct-quiet' }, `${source.topic} · ${say('bytes', { n: source.bytes })}`), make('pre', {}, source.text)] : '',
        columns && o.rows.length ? make('table', { class: 'ct-table', id: 'access-rows-shown' }, make('thead', {}, make('tr', {}, columns.map(([k]) => make('th', {}, say(k))))),
          make('tbody', {}, o.rows.map(r => make('tr', { 'data-quality': r.quality || r.state || '' }, columns.map(([, show]) => make('td', {}, show(r))))))) : ''));
  }

  A.forms = { mount, drawResult, drawNote };
})();
