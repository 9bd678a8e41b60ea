// All groups.

import { h, tag } from './h.js';
import { list } from './list.js';
import { bar, editor, maker } from './page.js';
import { href } from './router.js';

export const title = 'Groups';

export function render(place) {
  const groups = list({
    path: '/core/groups/',
    query: { include_users: 'false' },
    caption: 'Groups',
    ordering: 'name',
    filters: [{ name: 'is_superuser', label: 'Superusers', options: [['true', 'Yes'], ['false', 'No']] }, { name: 'members_by_username', label: 'Member' }],
    columns: [
      { name: 'Name', sort: 'name', of: (it) => h('a', { href: href(`/groups/${it.pk}`) }, it.name) },
      { name: 'Within', of: (it) => it.parents_obj?.map((parent) => parent.name).join(', ') },
      { name: 'Roles', of: (it) => it.roles_obj.map((role) => role.name).join(', ') },
      { name: 'May do everything', of: (it) => (it.is_superuser ? tag('yes') : 'no') },
    ],
    actions: (it) => editor(href(`/groups/${it.pk}/edit`), it.name, '/core/groups/'),
  });
  place.append(bar(maker('New group', href('/groups/new'), '/core/groups/')), h('section', {}, groups));
}
