/* The table of a dispatch proposal: what is ticked and edited goes to the server as one decision. */
(() => {
  function rows(box) {
    return [...box.querySelectorAll('tr[data-wish]')]
      .filter(tr => tr.querySelector('input[type=checkbox]').checked)
      .map(tr => ({ point: tr.dataset.wish, value: Number(tr.querySelector('input[type=number]').value) }));
  }

  document.addEventListener('click', async e => {
    const button = e.target.closest('button[data-dispatch]');
    if (!button || button.disabled) return;
    const box = document.getElementById('dispatch-wishes'), said = document.getElementById('dispatch-said');
    const act = button.dataset.dispatch, buttons = document.querySelectorAll('button[data-dispatch]');
    const body = act === 'approve' ? JSON.stringify({ rows: rows(box) }) : '{}';
    buttons.forEach(b => { b.disabled = true; });
    const answer = await fetch(`/api/dispatch/${button.dataset.no}/${act}`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }).catch(() => null);
    const words = answer ? await answer.json().catch(() => ({})) : {};
    said.dataset.level = answer?.ok ? '' : 'bad';
    said.textContent = answer?.ok ? button.dataset.done : button.dataset.refused.replace('{why}', words.why || answer?.status || '--');
    if (!answer?.ok) buttons.forEach(b => { b.disabled = false; });
  });

  // On a phone a place is one line; a touch opens its rows.
  document.addEventListener('click', e => e.target.closest('.ct-wish-place')?.parentElement.classList.toggle('ct-open'));

  document.addEventListener('change', e => {
    if (e.target.id !== 'dispatch-all') return;
    document.querySelectorAll('#dispatch-wishes tr[data-wish] input[type=checkbox]').forEach(x => { if (x.checked !== e.target.checked) x.click(); });
  });
})();
