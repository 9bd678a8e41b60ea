// All blueprints, and what came of them.

import { announce } from './announce.js';
import { address, create, get } from './api.js';
import { h, moment, tag, words } from './h.js';
import { list } from './list.js';
import { may, mayAt } from './may.js';
import { bar, button } from './page.js';
import { removal } from './remove.js';
import { href } from './router.js';

export const title = 'Blueprints';

const KINDS = { successful: 'good', error: 'bad', warning: null, orphaned: 'bad', unknown: null };
const SIGNS = { successful: '✓', error: '✕', warning: '!', orphaned: '–', unknown: '○' };

/** What came of one, as a sign, a word and a colour. */
export const statusTag = (status) => tag(`${SIGNS[status] ?? ''} ${words(status)}`, KINDS[status]);

export async function render(place) {
  const outcomes = await get('/gatelog/blueprints/outcomes/').catch(() => []);
  const problems = new Map(outcomes.map((it) => [it.pk, it.problems]));
  const blueprints = list({
    path: '/managed/blueprints/',
    caption: 'Blueprints',
    ordering: 'name',
    empty: 'Nothing is kept here, and no folder is watched.',
    columns: [
      { name: 'Name', sort: 'name', of: (it) => h('a', { href: href(`/blueprints/${it.pk}`) }, it.name) },
      { name: 'From', of: (it) => (it.path ? h('code', {}, it.path) : 'kept here') },
      { name: 'Outcome', of: (it) => [statusTag(it.status), it.enabled ? null : [' ', tag('switched off')], problems.get(it.pk)?.length ? h('p', { class: 'quiet' }, problems.get(it.pk)[0]) : null] },
      { name: 'Last applied', sort: 'last_applied', of: (it) => moment(it.last_applied) },
    ],
    actions: (it) => [
      mayAt('change', '/managed/blueprints/') && h('button', { type: 'button', 'aria-label': `Apply ${it.name}`, onclick: () => apply(it) }, 'Apply'),
      removal({ path: `/managed/blueprints/${it.pk}/`, name: it.name, warning: 'What it made stays.', done: () => blueprints.refresh() }),
    ],
  });
  async function apply(it) {
    if (await applied(it)) await blueprints.refresh();
  }
  place.append(
    bar(mayAt('add', '/managed/blueprints/') && button('Import', href('/blueprints/import'), 'primary'), may('authentik_flows.export_flow') && h('a', { class: 'button', href: address('/gatelog/blueprints/export/'), download: 'flows.yaml' }, 'Export all flows')),
    h('section', {}, h('p', { class: 'quiet' }, 'Files that say which objects there are to be. One flow alone is exported on its page.'), blueprints),
  );
}

/** Applies one, and says what came of it. */
export async function applied(it) {
  try {
    const now = await create(`/managed/blueprints/${it.pk}/apply/`, {});
    announce(`${it.name}: ${words(now.status).toLowerCase()}.`, now.status === 'error' ? 'bad' : undefined);
    return now;
  } catch (error) {
    announce(error.message, 'bad');
    return null;
  }
}
