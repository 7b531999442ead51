/* The page of findings: what an operator says of one goes to the server; the pipes it may be in are marked in the scene. */
(() => {
  const shown = () => document.querySelector('#finding-detail [data-finding]');
  let marked = '';

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

  // the scene outlines what the shown finding names
  setInterval(() => {
    const pipes = shown()?.dataset.pipes || '';
    if (pipes === marked) return;
    marked = pipes;
    document.dispatchEvent(new CustomEvent('ct-mark', { detail: pipes ? { pipes: pipes.split(' '), valves: [], stations: [] } : null }));
  }, 1000);
})();
