/* The work list of inlet valves and rooms measured by hand: what a crew did goes to the server as one note. */
(() => {
  const turned = () => {
    const rows = [...document.querySelectorAll('#inlet-list tr[data-building]')].filter(tr => tr.querySelector('input[type=checkbox]')?.checked);
    return { n: rows.length, body: { turned: Object.fromEntries(rows.map(tr => [tr.dataset.building, Number(tr.dataset.turn)])) } };
  };
  const field = (tr, name) => tr.querySelector(`input.ct-visit-${name}, .ct-visit-${name} input`)?.value ?? '';
  const visits = () => {
    const rows = [...document.querySelectorAll('#visit-list tr[data-building]')].map(tr => ({
      building: tr.dataset.building, home: field(tr, 'home'), text: field(tr, 'room'),
    })).filter(r => r.text !== '');
    return { n: rows.length, body: { visits: rows.map(r => ({ building: r.building, home: r.home, room_c: Number(r.text) })) } };
  };
  async function note(button, address, what, said) {
    if (!what.n) { said.textContent = button.dataset.none; return; }
    button.disabled = true;
    const answer = await fetch(address, { method: 'POST', body: JSON.stringify(what.body), headers: { 'Content-Type': 'application/json' } }).catch(() => null);
    const words = answer ? await answer.json().catch(() => ({})) : {};
    said.dataset.level = answer?.ok ? '' : 'bad';
    said.textContent = answer?.ok ? button.dataset.done.replace('{n}', what.n) : button.dataset.refused.replace('{why}', words.why || answer?.status || '--');
    button.disabled = false;
  }
  document.addEventListener('click', e => {
    const button = e.target.closest('button[data-balance], button[data-visits]');
    if (!button || button.disabled) return;
    if (button.dataset.balance) note(button, button.dataset.balance, turned(), document.getElementById('inlet-said'));
    else note(button, button.dataset.visits, visits(), document.getElementById('visits-said'));
  });
})();
