/* The page of findings: what an operator says of one goes to the server; the pipes it may be in and the stations it hides are marked in the scene. */
(() => {
  const shown = () => document.querySelector('#finding-detail [data-finding]');
  let marked = JSON.stringify({ pipes: [], valves: [], stations: [] });

  document.addEventListener('click', async e => {
    const button = e.target.closest('button[data-verdict]');
    const form = button?.closest('[data-say]'), finding = shown();
    if (!form || !finding || button.disabled) return;
    const buttons = form.querySelectorAll('button'), text = form.querySelector('input'), said = document.getElementById('finding-said');
    buttons.forEach(b => { b.disabled = true; });
    const body = { finding: finding.dataset.finding, verdict: button.dataset.verdict, text: text.value };
    const answer = await fetch(form.dataset.say, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }).catch(() => null);
    const words = answer ? await answer.json().catch(() => ({})) : {};
    said.dataset.level = answer?.ok ? '' : 'bad';
    said.textContent = answer?.ok ? form.dataset.done : form.dataset.refused.replace('{why}', words.why || answer?.status || '--');
    if (answer?.ok) text.value = '';
    buttons.forEach(b => { b.disabled = false; });
  });

  // a finding chosen in the table: its station is selected and the scene flies to its spot; again by another click
  let chosen = null;
  const show = row => window.CT?.show?.(row.place_id, row.spot);
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    ct: {
      showFinding(rows) {
        const row = rows?.[0];
        if (!row) { chosen = null; return; }
        const another = chosen?.id !== row.id;
        chosen = row; // the table is drawn anew every few seconds, with the same row chosen
        if (another) show(row);
      },
    },
  });
  document.addEventListener('click', e => {
    const row = e.target.closest('#finding-grid .ag-row');
    if (row && row.getAttribute('row-id') === chosen?.id) show(chosen);
  });

  // the scene outlines what the shown finding names
  setInterval(() => {
    const list = name => (shown()?.dataset[name] || '').split(' ').filter(Boolean);
    // of a leak search, the section of the first check: its valves are what the scene has a place for
    const next = document.querySelector('#search-panel:not([hidden]) [data-valves]')?.dataset.valves || '';
    const mark = { pipes: list('pipes'), valves: next.split(' ').filter(Boolean), stations: list('stations') }, now = JSON.stringify(mark);
    if (now === marked) return;
    marked = now;
    document.dispatchEvent(new CustomEvent('ct-mark', { detail: mark.pipes.length || mark.stations.length ? mark : null }));
  }, 1000);
})();
