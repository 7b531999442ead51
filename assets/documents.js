/* 资料: the list of documents and photos, their search, and the form that adds some. */
(() => {
  'use strict';
  const API = '/api/documents', KINDS = ['photo', 'drawing', 'paper', 'table', 'text'];
  let root = null, words = {}, lang = 'zh', data = null, choices = null, edited = 0, timer = 0, asked = 0;
  let wanted = { q: '', about: '', kind: '', removed: false }, picked = [], abouts = [];

  const say = (key, values) => (words[key] || key).replace(/\{(\w+)\}/g, (_, name) => (values || {})[name] ?? '');
  const why = a => (words['why_' + a?.code] ? say('why_' + a.code, a.values) : a?.why || say('why_other'));
  const clock = t => new Date(t * 1000).toLocaleString(lang === 'zh' ? 'zh-CN' : 'en-GB', { timeZone: root.dataset.zone, dateStyle: 'short', timeStyle: 'short' });
  const size = n => (n < 1e6 ? `${Math.max(1, Math.round(n / 1e3))} kB` : `${(n / 1e6).toFixed(1)} MB`);
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
  async function ask(path, options) {
    try { const r = await fetch(API + path, options); return await r.json(); } catch (e) { return { ok: false, code: 'away' }; }
  }
  const address = () => '?' + new URLSearchParams({ q: wanted.q, about: wanted.about, kind: wanted.kind, lang, ...(wanted.removed ? { removed: '1' } : {}) });

  // ---- the list -----------------------------------------------------------------------------------------
  function snippet(text) {
    const parts = wanted.q.toLowerCase().split(/[\s"“”]+/).filter(Boolean).map(w => w.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const cut = parts.length ? text.split(new RegExp(`(${parts.join('|')})`, 'i')) : [text];
    return make('p', { class: 'ct-doc-text' }, '… ', cut.map((s, i) => (i % 2 ? make('mark', {}, s) : s)), ' …');
  }
  function facts(d) {
    const n = d.pages ? say(d.kind === 'table' ? 'sheets' : 'pages', { n: d.pages }) : d.width ? `${d.width} x ${d.height}` : '';
    const text = d.detail && words['text_' + d.detail] ? say('text_' + d.detail) : '';
    return [say('kind_' + d.kind), n, size(d.size), `${d.added_by || say('here')} ${clock(d.added)}`, text].filter(Boolean).join(' · ');
  }
  function goAbout(id) { wanted.about = id; const u = new URL(location.href); if (id) u.searchParams.set('about', id); else u.searchParams.delete('about'); history.replaceState(history.state, '', u); reload(); }
  async function act(d, name) {
    if (name === 'remove' && !window.confirm(say('sure', { title: d.title }))) return;
    const a = await ask(`/${d.no}/${name}`, { method: 'POST' });
    if (!a.ok) window.alert(why(a));
    reload();
  }
  async function history_(d, box) {
    if (box.firstChild) { box.replaceChildren(); return; }
    const a = await ask(`/${d.no}/steps`);
    box.replaceChildren(...(a.steps || []).map(s => make('li', {}, `${clock(s.t)} ${s.who || say('here')} ${say('act_' + s.act)} “${s.title}” ${s.tags.join(' ')}`)));
  }
  function card(d) {
    if (edited === d.no) return editor(d);
    const file = `${API}/${d.no}/file`, mine = data.may && (data.all || d.added_by === data.me), steps = make('ul', { class: 'ct-doc-steps' });
    const face = d.small ? make('img', { src: `${API}/${d.no}/small`, alt: d.title, loading: 'lazy' }) : make('span', { class: 'ct-doc-kind' }, d.name.split('.').pop().toUpperCase());
    return make('article', { class: 'ct-doc', 'data-no': d.no },
      make('a', { class: 'ct-doc-face', href: file, target: '_blank', rel: 'noopener', tabindex: '-1', 'aria-hidden': 'true' }, face),
      make('div', {}, make('h3', {}, make('a', { href: file, target: '_blank', rel: 'noopener', title: d.name }, d.title)),
        make('small', {}, facts(d)), d.snippet && snippet(d.snippet), d.note && make('p', {}, d.note),
        make('div', { class: 'ct-doc-tags' }, d.tags.map(t => make('button', { type: 'button', class: 'ct-tag', onclick: () => { wanted.q = t; draw(); reload(); } }, t)),
          d.about.map(a => make('button', { type: 'button', class: 'ct-tag ct-about', title: a.id, onclick: () => goAbout(a.id) }, a.name))), steps),
      make('div', { class: 'ct-doc-acts' }, make('button', { type: 'button', class: 'ct-button', onclick: () => history_(d, steps) }, say('history')),
        mine && !wanted.removed && make('button', { type: 'button', class: 'ct-button', onclick: () => { edited = d.no; drawList(); } }, say('edit')),
        mine && make('button', { type: 'button', class: 'ct-button', onclick: () => act(d, wanted.removed ? 'restore' : 'remove') }, say(wanted.removed ? 'restore' : 'remove'))));
  }
  function editor(d) {
    const held = d.about.map(a => a.id), f = fields(d, held), box = make('p', { class: 'ct-note', role: 'status' });
    return make('form', { class: 'ct-doc ct-form', onsubmit: async e => {
      e.preventDefault();
      const body = { title: f.title.value, note: f.note.value, tags: f.tags.value.split(/[,，、;；]/).map(s => s.trim()).filter(Boolean), about: held };
      const a = await ask(`/${d.no}`, { method: 'POST', body: JSON.stringify(body) });
      if (a.ok) { edited = 0; reload(); } else { box.dataset.level = 'bad'; box.textContent = why(a); }
    } }, f.all, make('div', { class: 'ct-buttons' }, make('button', { class: 'ct-main-button' }, say('save')), make('button', { type: 'button', class: 'ct-button', onclick: () => { edited = 0; drawList(); } }, say('cancel'))), box);
  }
  function drawList() {
    const box = root?.querySelector('.ct-doc-list');
    if (!box || !data) return;
    if (!data.ok) { box.replaceChildren(make('p', { class: 'ct-quiet' }, why(data))); return; }
    const name = wanted.about && (data.documents.flatMap(d => d.about).find(a => a.id === wanted.about)?.name || choices?.abouts.find(a => a.id === wanted.about)?.name || wanted.about);
    const none = !data.documents.length && make('p', { class: 'ct-quiet' }, say(wanted.q || wanted.about || wanted.kind || wanted.removed ? 'none' : 'empty'));
    box.replaceChildren(...[
      wanted.about && make('p', { class: 'ct-notice' }, say('about_is', { name }), ' ', make('button', { type: 'button', class: 'ct-button', onclick: () => goAbout('') }, say('about_clear'))),
      none, data.documents.map(card), data.more && make('p', { class: 'ct-quiet' }, say('more', { n: data.documents.length })),
      data.said.length && [make('h3', {}, say('said')), data.said.map(m => make('article', { class: 'ct-doc ct-doc-message' }, make('div', {}, make('small', {}, `${clock(m.t)} · ${m.topic}`), make('code', {}, m.payload))))],
      data.messages.length && [make('h3', {}, say('messages')), data.messages.map(m => make('article', { class: 'ct-doc ct-doc-message' }, make('div', {}, make('small', {}, `${clock(m.t)} · ${m.count} · ${m.topic} · ${m.reason}`), make('code', {}, m.payload))))],
    ].flat(9).filter(Boolean));
    root.dataset.ready = String(++asked);
  }

  // ---- what is said of a document -----------------------------------------------------------------------
  function fields(d, held) {
    const id = d ? `e${d.no}` : 'new', chips = make('div', { class: 'ct-doc-tags' });
    const drawChips = () => chips.replaceChildren(...held.map(a => make('button', { type: 'button', class: 'ct-tag ct-about', onclick: () => { held.splice(held.indexOf(a), 1); drawChips(); } }, (choices?.abouts.find(c => c.id === a)?.name || a) + ' ×')));
    const pick = make('input', { type: 'text', list: 'document-choices', id: `${id}-about`, placeholder: say('about_hint') });
    const join = () => {
      const text = pick.value.trim(), found = choices?.abouts.find(c => c.id === text || c.name === text);
      if (text && !held.includes(found?.id || text)) held.push(found?.id || text);
      pick.value = ''; drawChips();
    };
    pick.addEventListener('change', join);
    pick.addEventListener('keydown', e => { if (e.key === 'Enter') { e.preventDefault(); join(); } });
    drawChips();
    const title = make('input', { type: 'text', maxlength: 120, id: `${id}-title`, value: d?.title || '', placeholder: d ? '' : say('title_hint') });
    const tags = make('input', { type: 'text', id: `${id}-tags`, value: (d?.tags || []).join(', ') }), note = make('textarea', { rows: 2, maxlength: 2000, id: `${id}-note`, value: d?.note || '' });
    const row = (key, e) => make('label', {}, say(key), e);
    return { title, tags, note, join, all: [row('title', title), row('tags', tags), row('about', pick), chips, row('note', note)] };
  }
  function form() {
    abouts = wanted.about ? [wanted.about] : [];
    const f = fields(null, abouts), said = make('ul', { class: 'ct-doc-said', role: 'status' });
    const input = make('input', { type: 'file', multiple: true, id: 'document-files', class: 'ct-doc-input', accept: (choices?.kinds || []).join(',') });
    const list = make('span', {}), take = files => { picked = [...files]; list.textContent = picked.length ? picked.map(x => x.name).join(', ') : say('drop'); };
    input.addEventListener('change', () => take(input.files));
    const drop = make('label', { class: 'ct-doc-drop', for: 'document-files' }, list, input);
    for (const name of ['dragenter', 'dragover']) drop.addEventListener(name, e => { e.preventDefault(); drop.classList.add('ct-over'); });
    for (const name of ['dragleave', 'drop']) drop.addEventListener(name, () => drop.classList.remove('ct-over'));
    drop.addEventListener('drop', e => { e.preventDefault(); take(e.dataTransfer.files); });
    take([]);
    const button = make('button', { class: 'ct-main-button', id: 'document-submit' }, say('submit'));
    return make('form', { class: 'ct-form', onsubmit: async e => {
      e.preventDefault(); f.join();
      const line = (text, bad) => { const li = make('li', { 'data-level': bad ? 'bad' : null }, text); said.append(li); return li; };
      said.replaceChildren();
      if (!picked.length) { line(say('no_file'), true); return; }
      button.disabled = true;
      for (const file of picked) {
        const li = line(say('sending', { name: file.name }));
        const q = new URLSearchParams({ name: file.name, title: picked.length > 1 ? '' : f.title.value, tags: f.tags.value, note: f.note.value });
        for (const a of abouts) q.append('about', a);
        const a = await ask('?' + q, { method: 'POST', body: file });
        if (!a.ok) li.dataset.level = 'bad';
        li.textContent = a.ok ? say('sent', { name: file.name }) : say('failed', { name: file.name, why: why(a) });
      }
      button.disabled = false; input.value = ''; f.title.value = ''; take([]); reload();
    } }, drop, make('small', { class: 'ct-quiet' }, say('limit', { mb: 64, kinds: (choices?.kinds || []).join(' ') })), f.all, button, said);
  }

  // ---- the whole ----------------------------------------------------------------------------------------
  async function reload() {
    const at = address(), answer = await ask(at);
    if (root && at === address()) { data = answer; drawList(); }
  }
  const later = () => { clearTimeout(timer); timer = setTimeout(reload, 250); };
  function draw() {
    const search = make('input', { type: 'search', id: 'document-search', value: wanted.q, placeholder: say('search'), 'aria-label': say('search_label'), oninput: e => { wanted.q = e.target.value; later(); } });
    const kinds = make('select', { id: 'document-kind', 'aria-label': say('kind'), onchange: e => { wanted.kind = e.target.value; reload(); } },
      make('option', { value: '' }, say('kind_all')), KINDS.map(k => make('option', { value: k }, say('kind_' + k))));
    kinds.value = wanted.kind;
    const removed = make('input', { type: 'checkbox', id: 'document-removed', onchange: e => { wanted.removed = e.target.checked; reload(); } });
    removed.checked = wanted.removed;
    const side = root.dataset.bare ? null : make('section', { class: 'ct-panel ct-doc-add' }, make('h2', {}, say('add')), data?.ok && !data.may ? make('p', { class: 'ct-notice' }, say('read_only')) : form());
    root.replaceChildren(make('section', { class: 'ct-panel' }, make('h2', {}, say('list')), make('div', { class: 'ct-doc-tools' }, search, kinds, make('label', { class: 'ct-check' }, removed, make('span', {}, say('removed_only')))), make('div', { class: 'ct-doc-list ct-scroll' })),
      ...(side ? [side] : []), make('datalist', { id: 'document-choices' }, (choices?.abouts || []).map(a => make('option', { value: a.id }, a.name))));
    drawList();
  }
  async function boot(element) {
    root = element;
    words = JSON.parse(element.dataset.words); lang = element.dataset.lang;
    const q = new URLSearchParams(location.search);
    wanted = { q: q.get('q') || '', about: q.get('about') || '', kind: '', removed: false };
    edited = 0; data = null;
    const [found, known] = await Promise.all([ask(address()), ask('/choices')]);
    if (root !== element || !element.isConnected) return;
    if (!found.ok) { element.textContent = why(found); setTimeout(() => { if (root === element) boot(element); }, 3000); return; }
    data = found; choices = known.ok ? known : { abouts: [], kinds: [] };
    draw();
  }
  new MutationObserver(() => {
    const element = document.getElementById('documents-root');
    if (element && element !== root) boot(element);
    else if (!element && root) root = null;
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
