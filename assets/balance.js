/* The work list of inlet valves: what a crew did goes to the server as one note. */
(() => {
  document.addEventListener('click', async e => {
    const button = e.target.closest('button[data-balance]');
    if (!button || button.disabled) return;
    const said = document.getElementById('inlet-said');
    const rows = [...document.querySelectorAll('#inlet-list tr[data-building]')].filter(tr => tr.querySelector('input[type=checkbox]')?.checked);
    if (!rows.length) { said.textContent = button.dataset.none; return; }
    const turned = Object.fromEntries(rows.map(tr => [tr.dataset.building, Number(tr.dataset.turn)]));
    button.disabled = true;
    const answer = await fetch(button.dataset.balance, { method: 'POST', body: JSON.stringify({ turned }), headers: { 'Content-Type': 'application/json' } }).catch(() => null);
    const words = answer ? await answer.json().catch(() => ({})) : {};
    said.dataset.level = answer?.ok ? '' : 'bad';
    said.textContent = answer?.ok ? button.dataset.done.replace('{n}', rows.length) : button.dataset.refused.replace('{why}', words.why || answer?.status || '--');
    button.disabled = false;
  });
})();
