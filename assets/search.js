/* The leak search on the page of findings: fields by kind of check, what a crew found goes to the server. */
(() => {
  const form = () => document.getElementById('search-form');
  const box = name => document.querySelector(`input#search-${name}, #search-${name} input`);
  // React keeps a field's value: only the element's own setter and an event change it
  const write = (name, value) => {
    const el = box(name);
    if (!el) return;
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(el, value);
    el.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const choose = kind => {
    const f = form();
    if (!f) return;
    f.dataset.kind = kind;
    f.querySelectorAll('[data-check-kind]').forEach(b => b.setAttribute('aria-pressed', String(b.dataset.checkKind === kind)));
    f.querySelectorAll('[data-for]').forEach(e => { e.hidden = !e.dataset.for.split(' ').includes(kind); });
  };
  const number = name => { const v = box(name)?.value.trim(); return v ? Number(v) : null; };

  const send = async body => {
    const f = form(), said = document.getElementById('search-said');
    if (!f || f.dataset.busy) return;
    f.dataset.busy = '1';
    const answer = await fetch(f.dataset.search, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }).catch(() => null);
    const words = answer ? await answer.json().catch(() => ({})) : {};
    delete f.dataset.busy;
    said.dataset.level = answer?.ok ? '' : 'bad';
    said.textContent = answer?.ok ? f.dataset.done : f.dataset.refused.replace('{why}', words.why || answer?.status || '--');
    if (answer?.ok) ['supply_m3_h', 'return_m3_h', 'before_m3_h', 'after_m3_h', 'text'].forEach(n => write(n, ''));
  };
  const result = heard => {
    const f = form(), kind = f.dataset.kind;
    const body = {
      finding: document.querySelector('#finding-detail [data-finding]')?.dataset.finding || '', kind,
      chamber: box('chamber_id')?.value.trim() || '', text: box('text')?.value.trim() || '',
    };
    if (kind === 'listen') return send({ ...body, heard });
    body.sections = (box('sections')?.value || '').split(/[\s,，、;；]+/).filter(Boolean);
    const names = kind === 'clamp' ? ['supply_m3_h', 'return_m3_h'] : ['before_m3_h', 'after_m3_h'];
    names.forEach(n => { body[n] = number(n); });
    return send(body);
  };

  document.addEventListener('click', e => {
    const b = e.target.closest('button');
    if (!b) return;
    if (b.dataset.checkKind) choose(b.dataset.checkKind);
    else if (b.dataset.searchUse) {
      const use = JSON.parse(b.dataset.searchUse);
      choose(use.kind);
      write('chamber_id', use.chamber);
      write('sections', use.sections.join(' '));
      form()?.scrollIntoView({ block: 'nearest' });
    } else if (b.dataset.searchHeard) result(b.dataset.searchHeard === 'true');
    else if (b.dataset.searchSend) result();
    else if (b.dataset.searchUndo) send({ undo: Number(b.dataset.searchUndo) });
  });

  // the form comes with the page: until a kind is chosen it is that of a clamp-on meter
  new MutationObserver(() => { const f = form(); if (f && !f.dataset.kind) choose('clamp'); })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
