// One blueprint that is kept here or lies in the watched folder.

import { get, update } from './api.js';
import { preview } from './blueprint_diff.js';
import { applied, statusTag } from './blueprints.js';
import { form } from './form.js';
import { facts, fill, h, moment, yes } from './h.js';
import { mayAt } from './may.js';
import { action, bar, button, section, setTitle, tabs } from './page.js';
import { deletion } from './remove.js';
import { again, go, href } from './router.js';

export const title = 'Blueprint';

export async function render(place, { pk, part }) {
  const path = `/managed/blueprints/${pk}/`;
  const it = await get(path);
  setTitle(it.name);
  place.append(tabs(`/blueprints/${pk}`, [['', 'Overview'], mayAt('change', path) && ['edit', 'Edit']]));
  if (part === 'edit') {
    const made = await form({
      schema: 'BlueprintInstanceRequest',
      values: it,
      fields: {
        enabled: { label: 'Is applied by itself, also when its file changes' },
        path: { label: 'File', hint: 'Its path within the watched folder.', hidden: !it.path },
        content: { kind: 'code', hidden: Boolean(it.path) },
        context: { hint: 'What overrides the context of the file.' },
      },
      order: ['name', 'enabled', 'path', 'content', 'context'],
      submit: 'Save and apply',
      cancel: button('Cancel', href(`/blueprints/${pk}`)),
      save: (body) => update(path, body),
      saved: () => go(`/blueprints/${pk}`),
    });
    place.append(h('section', {}, made));
    return;
  }
  const outcomes = await get('/gatelog/blueprints/outcomes/').catch(() => []);
  const problems = outcomes.find((one) => one.pk === pk)?.problems ?? [];
  const seen = h('div', { role: 'status' });
  const look = async () => {
    const { shown } = await preview(it.content, it.name).catch((error) => ({ shown: h('p', { class: 'alert' }, error.message) }));
    fill(seen, section('What applying it would change now', shown));
  };
  const known = facts([
    ['Outcome', statusTag(it.status)],
    ['Last applied', moment(it.last_applied)],
    ['From', it.path ? h('code', {}, it.path) : 'kept here'],
    ['Is applied by itself', yes(it.enabled)],
    ['What it is made of', it.managed_models.length ? it.managed_models.join(', ') : '—'],
    ['Hash', it.last_applied_hash ? h('code', {}, it.last_applied_hash.slice(0, 16)) : '—'],
  ]);
  const actions = bar(
    mayAt('change', path) && action('Apply', async () => (await applied(it)) && again(), 'primary'),
    it.content && mayAt('add', path) ? action('Show what would change', look) : null,
    deletion({ path, name: it.name, warning: 'What it made stays.', to: () => go('/blueprints') }),
  );
  const wrong = problems.length ? section('What is wrong or to be remarked', h('ul', {}, problems.map((text) => h('li', {}, text)))) : null;
  place.append(actions, section('Facts', known), ...[wrong].filter(Boolean), seen);
  if (it.content) place.append(section('Its content', h('pre', { tabindex: '0' }, it.content)));
}
