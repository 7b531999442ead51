/* The dispatcher's desk: from a residual to its evidence, from a station into its houses, findings on the scene. */
(() => {
  'use strict';
  const set = (id, data) => window.dash_clientside?.set_props?.(id, data);
  const mark = detail => document.dispatchEvent(new CustomEvent('ct-mark', { detail }));
  document.addEventListener('click', e => {
    const line = e.target.closest('[data-key][data-select]');
    if (line) set('chart-key', { value: line.dataset.key.replace(/^src_/, 'p1_') });
    const into = e.target.closest('[data-building]');
    if (into) { set('detail-part', { value: 'homes' }); set('heating-building', { data: into.dataset.building }); }
    if (!into && e.target.closest('[data-select]')) set('heating-building', { data: '' });
  });
  // another place chosen in the scene: not inside a building any more
  document.addEventListener('ct-select', e => { if (e.detail?.from === 'scene') set('heating-building', { data: '' }); });
  let marked = '';
  setInterval(() => {
    const box = document.getElementById('desk-mark'), text = box ? box.textContent : '';
    if (text === marked) return;
    if (box) mark(text ? JSON.parse(text) : null);
    marked = text;
  }, 1000);
})();
