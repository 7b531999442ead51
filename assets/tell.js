/* A button that tells the server one decision: data-tell address, data-body JSON, data-done and data-refused words, data-said where they go, data-ask what must be confirmed first. */
(() => {
  document.addEventListener('click', async e => {
    const button = e.target.closest('button[data-tell]');
    if (!button || button.disabled || (button.dataset.ask && !window.confirm(button.dataset.ask))) return;
    const said = document.getElementById(button.dataset.said);
    button.disabled = true;
    const answer = await fetch(button.dataset.tell, { method: 'POST', body: button.dataset.body, headers: { 'Content-Type': 'application/json' } }).catch(() => null);
    const words = answer ? await answer.json().catch(() => ({})) : {};
    said.dataset.level = answer?.ok ? '' : 'bad';
    said.textContent = answer?.ok ? button.dataset.done : button.dataset.refused.replace('{why}', words.why || answer?.status || '--');
    button.disabled = false;
  });
})();
