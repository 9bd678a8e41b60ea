// Audit events.

import { get } from './api.js';
import { dialog } from './dialog.js';
import { facts, h, moment, tag, words } from './h.js';
import { list } from './list.js';
import { href } from './router.js';

export const title = 'Events';

const BAD = ['login_failed', 'suspicious_request', 'policy_exception', 'property_mapping_exception', 'system_exception', 'system_task_exception', 'configuration_error', 'model_deleted'];
const GOOD = ['login', 'model_created'];

export async function render(place) {
  const actions = await get('/events/events/actions/');
  const options = actions.filter((it) => it.component !== 'custom_').map((it) => [it.component, it.name]);
  place.append(h('section', {}, list({
    path: '/events/events/',
    caption: 'Events',
    filters: [
      { name: 'action', label: 'What', options },
      { name: 'username', label: 'User' },
      { name: 'client_ip', label: 'Address' },
      { name: 'context_model_name', label: 'Kind of object' },
    ],
    columns: eventColumns(),
    empty: 'Nothing is told yet.',
  })));
}

/** The columns of a list of events. */
export const eventColumns = () => [
  { name: 'What', sort: 'action', of: (it) => h('button', { type: 'button', class: 'plainly', onclick: () => show(it) }, tag(words(it.action), BAD.includes(it.action) ? 'bad' : GOOD.includes(it.action) ? 'good' : null)) },
  { name: 'Of', of: (it) => about(it) },
  { name: 'User', sort: 'user', of: (it) => user(it) },
  { name: 'When', sort: 'created', of: (it) => moment(it.created) },
  { name: 'From', sort: 'client_ip', of: (it) => h('span', { class: 'whole' }, it.client_ip ?? '—') },
];

const user = (it) => (it.user?.pk ? h('a', { href: href(`/users/${it.user.pk}`) }, it.user.username) : it.user?.username || '—');

function about({ context }) {
  const { model } = context;
  if (model?.name || model?.model_name) return `${words(model.model_name ?? '')} ${model.name ?? ''}`.trim();
  return context.message ?? context.reason ?? (context.subject ? `“${context.subject}”` : null) ?? context.name ?? '—';
}

async function show(it) {
  const content = [
    facts([['When', moment(it.created)], ['User', user(it)], ['From', it.client_ip ?? '—'], ['Of', about(it)], ['App', h('code', {}, it.app)], ['Kept until', it.expires ? moment(it.expires) : 'for ever']]),
    h('h3', { class: 'after' }, 'What is told'),
    h('pre', { tabindex: '0' }, JSON.stringify(it.context, null, 2)),
  ];
  const shown = dialog({ title: words(it.action), content, wide: true });
  shown.element.addEventListener('click', (event) => event.target.closest('a') && shown.close());
  await shown.closed;
}
