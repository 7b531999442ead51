/* The shell: clock, one selection for all panels, wall scaling. Values are live.js's, the scene is scene.js's. */
(() => {
  'use strict';
  const CT = (window.CT = window.CT || {});
  CT.selection = CT.selection || { kind: 'substation', id: new URLSearchParams(location.search).get('sel') || '' };
  const kiosk = () => new URLSearchParams(location.search).get('kiosk') === '1';
  const setText = (id, text) => { const e = document.getElementById(id); if (e && e.textContent !== text) e.textContent = text; };
  const clock = t => (CT.clock ? CT.clock(t) : '--:--:--');

  // ---- selection: URL, Dash store, scene, tables ------------------------------------------------------
  function remember(id) {
    const url = new URL(location.href);
    if (id) url.searchParams.set('sel', id); else url.searchParams.delete('sel');
    if (url.href !== location.href) history.replaceState(history.state, '', url);
    for (const a of document.querySelectorAll('.ct-nav-item')) {
      const to = new URL(a.href, location.href);
      if (to.pathname === '/data-quality') continue;
      if (id) to.searchParams.set('sel', id); else to.searchParams.delete('sel');
      a.setAttribute('href', to.pathname + to.search);
    }
  }

  function markRows(id) {
    for (const r of document.querySelectorAll('.ct-stations .ag-row')) r.classList.toggle('ct-picked', r.getAttribute('row-id') === id);
  }

  document.addEventListener('ct-select', e => {
    const { kind, id } = e.detail || {};
    if (kind && kind !== 'substation' && kind !== 'source') return;
    CT.selection = { kind: kind || 'substation', id: id || '' };
    remember(CT.selection.id);
    markRows(CT.selection.id);
    if (window.dash_clientside?.set_props && document.getElementById('page')) window.dash_clientside.set_props('selection', { data: CT.selection.id });
  });

  // What was asked of the server when it went away was never answered: ask again for what is selected.
  document.addEventListener('ct-back', () => window.dash_clientside?.set_props?.('selection', { data: CT.selection.id }));

  CT.select = id => document.dispatchEvent(new CustomEvent('ct-select', { detail: { kind: id.startsWith('SRC') ? 'source' : 'substation', id } }));

  // a finding has its spot besides: "building B1", "pipes P1 P2", "places S01"; the scene flies there
  CT.show = (id, spot) => {
    const [kind, ...ids] = (spot || '').split(' ');
    CT.select(id || '');
    document.dispatchEvent(new CustomEvent('ct-spot', { detail: { kind, ids } }));
  };

  document.addEventListener('click', e => {
    const matter = e.target.closest('[data-select]');
    if (matter) { CT.show(matter.dataset.select, matter.dataset.spot); return; }
    const row = e.target.closest('.ct-stations .ag-row');
    if (row && row.getAttribute('row-id')) CT.select(row.getAttribute('row-id'));
    const language = e.target.closest('#ct-language');
    if (language) {
      e.preventDefault();
      const url = new URL(location.href);
      url.searchParams.set('lang', new URL(language.href, location.href).searchParams.get('lang'));
      location.href = url;
    }
  });

  // ---- buttons that ask the server to do something; the answer stands on the button for a while ---------
  document.addEventListener('click', async e => {
    const button = e.target.closest('button[data-post]');
    if (!button || button.disabled) return;
    if (button.dataset.confirm && !window.confirm(button.dataset.confirm)) return;
    button.disabled = true;
    const text = button.textContent;
    const said = await fetch(button.dataset.post, { method: 'POST' }).catch(() => null);
    button.textContent = CT.say(said?.ok ? 'asked' : 'refused');
    setTimeout(() => { button.textContent = text; button.disabled = false; }, 4000);
  });

  // ---- page marks, clock, age of data -----------------------------------------------------------------
  function adoptView() {
    const view = document.getElementById('ct-view');
    if (!view) return;
    const root = document.documentElement, lang = view.dataset.lang === 'en' ? 'en' : 'zh-CN';
    if (root.lang !== lang) { root.lang = lang; root.dataset.lang = view.dataset.lang; document.dispatchEvent(new CustomEvent('ct-lang', { detail: { lang: view.dataset.lang } })); CT.repaint?.(); }
    if (root.dataset.theme !== view.dataset.theme) { root.dataset.theme = view.dataset.theme; document.dispatchEvent(new CustomEvent('ct-theme', { detail: { theme: view.dataset.theme } })); }
  }

  function tick() {
    const now = CT.now ? CT.now() : Date.now() / 1000;
    setText('ct-clock', clock(now));
    const newest = CT.live ? Math.max(0, ...[...CT.live.values()].map(p => (p.t && p.t <= now ? p.t : 0))) : 0;
    setText('ct-data-time', newest ? clock(newest) : '--');
    markRows(CT.selection.id);
  }
  setInterval(tick, 1000);
  new MutationObserver(adoptView).observe(document.documentElement, { childList: true, subtree: true });

  // ---- numbers for the grids -------------------------------------------------------------------------
  CT.worst = place => {
    const meta = CT.meta?.();
    if (!meta) return null;
    let worst = null;
    for (const key of ['p1_ts', 'p1_tr', 'p1_ps', 'p1_pr', 'p1_flow', 'p1_heat', 's2_ts']) {
      const p = CT.live.get(CT.pointNo(`${place}/${key}`));
      if (p && Number.isFinite(p.z) && (worst === null || Math.abs(p.z) > Math.abs(worst))) worst = p.z;
    }
    return worst;
  };
  function paintWorst() {
    for (const e of document.querySelectorAll('[data-worst]')) {
      const z = CT.worst(e.dataset.worst), a = Math.abs(z);
      e.textContent = z === null ? '--' : CT.formatNumber(z, 1);
      e.dataset.level = z === null ? '' : a > 3 ? 'bad' : a > 2 ? 'watch' : 'ok';
    }
  }
  setInterval(paintWorst, 1500);
  setInterval(async () => {
    const api = await window.dash_ag_grid?.getApiAsync?.('station-grid').catch(() => null);
    if (api && api.getColumnState().some(c => c.sort)) api.refreshClientSideRowModel('sort');
  }, 6000);

  // ---- the wall: everything in rem, scaled by the smaller side; a slow shift against burn-in ------------
  function scale() {
    const root = document.documentElement;
    const scale = kiosk() ? Math.min(innerWidth / 1920, innerHeight / 1080) : 1;
    root.style.fontSize = kiosk() ? `${16 * scale}px` : '';
    root.style.setProperty('--ct-scale', scale); // for what is drawn in pixels: charts
    root.classList.toggle('ct-wide', innerWidth / innerHeight > 2.4);
  }
  addEventListener('resize', scale);
  scale();
  let shift = 0;
  setInterval(() => {
    if (!kiosk()) return;
    shift = (shift + 1) % 8;
    const [x, y] = [[0, 0], [1, 0], [2, 0], [2, 1], [2, 2], [1, 2], [0, 2], [0, 1]][shift];
    document.body.style.transform = `translate(${x}px, ${y}px)`;
  }, 60_000);
})();
