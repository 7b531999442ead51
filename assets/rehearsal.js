/* The rehearsal room: pick places in the scene, walk through the simulated hours with one slider. */
(() => {
  'use strict';
  const CT = (window.CT = window.CT || {});
  const STEP_MS = 450;
  let frames = null, held = null, playing = null, wanted = '';
  const $ = id => document.getElementById(id);
  const here = () => $('rehearsal-time');

  // ---- the scene shows the simulated hour; live answers are held back meanwhile ------------------------
  window.addEventListener('ct-network', e => {
    if (!frames || !here() || e.detail?.rehearsal) return;
    held = e.detail;
    e.stopImmediatePropagation();
  }, true);

  function parse(buffer) {
    const [n, nodes, pipes, buildings] = new Uint32Array(buffer, 0, 4);
    const all = new Float32Array(buffer, 16), wide = 4 * nodes + 2 * pipes + buildings;
    const at = (k, from, size) => all.subarray(n + k * wide + from, n + k * wide + from + size);
    return {
      n, hour: all.subarray(0, n),
      network: k => ({
        rehearsal: true, t: Date.now() / 1000, tSupply: at(k, 0, nodes), tReturn: at(k, nodes, nodes), pSupply: at(k, 2 * nodes, nodes),
        pReturn: at(k, 3 * nodes, nodes), massFlow: at(k, 4 * nodes, pipes), tPipe: at(k, 4 * nodes + pipes, pipes),
      }),
      rooms: k => at(k, 4 * nodes + 2 * pipes, buildings),
    };
  }

  const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

  function leave() {
    if (!frames) return;
    frames = null;
    stop();
    if ($('rehearsal-badge')) $('rehearsal-badge').hidden = true;
    say('ct-buildings', null);
    say('ct-mark', null);
    if (held || CT.network) say('ct-network', held || CT.network);
    held = null;
  }

  function series() {
    const box = $('rehearsal-series');
    try { return box ? JSON.parse(box.textContent || 'null') : null; } catch { return null; }
  }

  function show(k) {
    const told = series();
    if (!frames || !here()) return;
    here().value = k;
    say('ct-network', frames.network(k));
    say('ct-buildings', { values: frames.rooms(k), low: 10, high: 22, unit: '°C', title: told?.words.rooms || '' });
    if (!told) return;
    const c = told.cases[told.shown], fill = (text, row) => text.replace(/\{(\w+)\}/g, (_, w) => row[w] ?? '');
    $('rehearsal-clock').textContent = told.stamps[k] ?? '';
    $('rehearsal-badge').textContent = fill(told.words.badge, { t: told.stamps[k] });
    $('rehearsal-badge').hidden = false;
    $('rehearsal-now').textContent = fill(told.words.now, {
      h: told.hours[k].toFixed(1), below18: c.below18[k], below16: c.below16[k], cold: c.cold[k].toFixed(1), lost: c.lost[k],
    });
    const plot = document.querySelector('#rehearsal-chart .js-plotly-plot');
    if (plot && window.Plotly && told.axis[k]) {
      const shapes = (plot.layout.shapes || []).filter(s => s.name !== 'now');
      shapes.push({ name: 'now', type: 'line', xref: 'x', yref: 'paper', x0: told.axis[k], x1: told.axis[k], y0: 0, y1: 1, line: { width: 1.5, color: '#4cc2ff' } });
      window.Plotly.relayout(plot, { shapes });
    }
  }

  function stop() { clearInterval(playing); playing = null; const b = $('rehearsal-play'); if (b) b.dataset.on = ''; }

  function play() {
    if (playing) return stop();
    if (!frames) return;
    $('rehearsal-play').dataset.on = '1';
    if (Number(here().value) >= frames.n - 1) show(0);
    playing = setInterval(() => {
      if (!here()) return leave();
      const k = Number(here().value) + 1;
      if (!frames || k >= frames.n) return stop();
      show(k);
    }, STEP_MS);
  }

  /** A new answer, or another alternative of it: fetch its hours. */
  async function load() {
    const told = series();
    if (!told || !here()) return leave();
    const address = `${told.path}/${told.key}/${told.shown}.bin`;
    if (address === wanted) return;
    wanted = address;
    stop();
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok || wanted !== address) return;
    const at = frames ? Number(here().value) : 0;
    frames = parse(await answer.arrayBuffer());
    here().max = frames.n - 1;
    here().disabled = false;
    $('rehearsal-play').disabled = false;
    say('ct-mark', told.mark);
    show(Math.min(at, frames.n - 1));
  }

  document.addEventListener('input', e => { if (e.target.id === 'rehearsal-time') { stop(); show(Number(e.target.value)); } });
  document.addEventListener('click', e => {
    if (e.target.closest('#rehearsal-play')) play();
    const row = e.target.closest('#rehearsal-table tr[data-case]');
    if (row) window.dash_clientside?.set_props('rehearsal-shown', { data: Number(row.dataset.case) });
  });
  let watched = '';
  setInterval(() => {
    const now = $('rehearsal-series')?.textContent || '';
    if (!$('rehearsal-page')) { watched = ''; wanted = ''; return leave(); }
    if (now !== watched) { watched = now; load(); }
  }, 300);

  // ---- a place picked in the scene becomes the place of the form -------------------------------------
  function take(kind, id) {
    if (id && $('rehearsal-page')) window.dash_clientside?.set_props('rehearsal-picked', { data: { kind, id, n: Date.now() } });
  }
  document.addEventListener('ct-pick', e => { if (e.detail?.kind === 'pipe' || e.detail?.kind === 'valve') take(e.detail.kind, e.detail.id); });
  document.addEventListener('ct-select', e => { if (e.detail?.from === 'scene') take(e.detail.kind === 'source' ? 'source' : 'station', e.detail.id); });
})();
