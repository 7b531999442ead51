/* The form of the page of commands: limits and live values of the chosen set-point, and its sending. */
(() => {
  const find = id => document.getElementById(id);

  function showPoint(select) {
    const option = select.selectedOptions[0], data = option ? option.dataset : {};
    find('command-limits').textContent = data.limits || '';
    bind(find('command-now'), select.value);
    bind(find('command-feedback'), data.feedback);
    const input = find('command-value');
    if (!input) return;
    if (data.low) { input.min = data.low; input.max = data.high; input.step = data.step; }
  }

  function bind(box, point) {
    box.replaceChildren();
    if (!point) return;
    const span = document.createElement('span');
    span.dataset.point = point;
    box.append(span);
  }

  document.addEventListener('change', e => { if (e.target.id === 'command-point') showPoint(e.target); });

  document.addEventListener('submit', async e => {
    const form = e.target.closest('form[data-command]');
    if (!form) return;
    e.preventDefault();
    const box = find('command-said'), button = form.querySelector('button[type=submit]');
    const text = find('command-value').value;
    const body = { point: find('command-point').value, value: text === '' ? null : Number(text), reason: find('command-reason').value };
    button.disabled = true;
    const said = await fetch(form.dataset.command, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }).catch(() => null);
    button.disabled = false;
    const answer = said ? await said.json().catch(() => ({})) : {};
    box.dataset.level = said?.ok ? '' : 'bad';
    box.textContent = said?.ok ? form.dataset.asked : form.dataset.refused.replace('{why}', answer.why || said?.status || '--');
  });
})();
