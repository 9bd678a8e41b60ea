// Importing a blueprint: from text or a file, looked at before it is applied.

import { announce } from './announce.js';
import { call, create } from './api.js';
import { preview } from './blueprint_diff.js';
import { CODE_HINT, code } from './code.js';
import { fill, h } from './h.js';
import { action, bar, button, section } from './page.js';
import { go, guard, href } from './router.js';
import { confirm } from './dialog.js';

export const title = 'Import a blueprint';

export function render(place) {
  const text = code({ id: 'blueprint', name: 'blueprint', rows: 16, 'aria-describedby': 'blueprint-hint' }, '');
  const file = h('input', { type: 'file', id: 'blueprint-file', accept: '.yaml,.yml,.json,.akflow,text/*' });
  const name = h('input', { type: 'text', id: 'blueprint-name', name: 'blueprint-name', autocomplete: 'off' });
  const outcome = h('div', { role: 'status' });
  const problem = h('div');
  let looked = null;
  let isDone = false;

  file.addEventListener('change', async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    text.value = await chosen.text();
    if (!name.value) name.value = chosen.name.replace(/\.[^.]*$/, '');
    reset();
    announce(`${chosen.name} was read.`);
  });
  text.addEventListener('input', reset);
  guard(() => !text.isConnected || isDone || text.value.trim() === '' || confirm({ title: 'Leave without applying?', content: 'What is in the text is not kept.', action: 'Leave', danger: true }));

  function reset() {
    looked = null;
    fill(outcome);
    fill(problem);
  }

  async function tries(act) {
    fill(problem);
    try {
      await act();
    } catch (error) {
      const others = Object.entries(error.fields ?? {}).map(([field, texts]) => h('li', {}, `${field}: ${texts.join(' ')}`));
      fill(problem, h('div', { class: 'alert', role: 'alert' }, h('p', {}, error.detail ?? error.message), others.length ? h('ul', {}, others) : null));
    }
  }

  const look = () => tries(async () => {
    if (text.value.trim() === '') {
      text.focus();
      return;
    }
    looked = await preview(text.value, name.value || 'blueprint');
    const buttons = looked.canApply ? h('div', { class: 'buttons after' }, action(looked.count ? 'Apply these changes' : 'Apply all the same', apply, 'primary'), action('Keep it here and apply it', keep)) : null;
    fill(outcome, section('What would change', [looked.shown, buttons]));
    outcome.firstChild.scrollIntoView({ block: 'nearest' });
  });

  const apply = () => tries(async () => {
    const form = new FormData();
    form.append('file', new Blob([text.value], { type: 'application/yaml' }), 'blueprint.yaml');
    const { success, logs } = await call('POST', '/managed/blueprints/import/', { body: form });
    const lines = h('ul', {}, logs.map((it) => h('li', {}, it.event)));
    if (!success) {
      fill(problem, h('div', { class: 'alert', role: 'alert' }, h('p', {}, 'It was not applied; nothing was changed.'), lines));
      return;
    }
    isDone = true;
    announce('The blueprint was applied.');
    fill(outcome, section('It was applied', [lines, bar(button('All blueprints', href('/blueprints')), button('All flows', href('/flows')))]));
  });

  const keep = () => tries(async () => {
    if (name.value.trim() === '') {
      name.setAttribute('aria-invalid', 'true');
      name.focus();
      announce('It needs a name to be kept under.', 'bad');
      return;
    }
    const made = await create('/managed/blueprints/', { name: name.value.trim(), content: text.value, enabled: true });
    isDone = true;
    announce('The blueprint is kept, and was applied.');
    await go(`/blueprints/${made.pk}`);
  });

  place.append(
    section('The blueprint', h('div', { class: 'form' },
      h('div', { class: 'field' }, h('label', { for: 'blueprint-file' }, 'From a file'), file),
      h('div', { class: 'field' }, h('label', { for: 'blueprint' }, 'Or as text'), h('p', { class: 'hint', id: 'blueprint-hint' }, `YAML or JSON. Nothing happens before you have seen what would change. ${CODE_HINT}`), text),
      h('div', { class: 'field' }, h('label', { for: 'blueprint-name' }, 'Name'), h('p', { class: 'hint' }, 'Only where it is to be kept here.'), name),
      problem,
      bar(action('Show what would change', look, 'primary'), button('Cancel', href('/blueprints'))))),
    outcome,
  );
}
