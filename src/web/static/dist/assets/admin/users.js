// All users.

import { h, moment, tag } from './h.js';
import { list } from './list.js';
import { mayAt } from './may.js';
import { bar, button, editor, maker } from './page.js';
import { TYPES, person } from './people.js';
import { href } from './router.js';

export const title = 'Users';

export function render(place) {
  const users = list({
    path: '/core/users/',
    query: { include_groups: 'false', include_roles: 'false' },
    caption: 'Users',
    ordering: 'username',
    filters: [
      { name: 'type', label: 'Type', options: Object.entries(TYPES) },
      { name: 'is_active', label: 'Active', options: [['true', 'Yes'], ['false', 'No']] },
      { name: 'groups_by_name', label: 'Group' },
    ],
    columns: [
      { name: 'Username', sort: 'username', of: person },
      { name: 'Name', sort: 'name', of: (it) => it.name },
      { name: 'E-mail', sort: 'email', of: (it) => it.email },
      { name: 'Type', of: (it) => [TYPES[it.type] ?? it.type, it.is_superuser ? [' ', tag('superuser')] : null, it.is_active ? null : [' ', tag('not active', 'bad')]] },
      { name: 'Last login', sort: 'last_login', of: (it) => (it.last_login ? moment(it.last_login) : 'never') },
    ],
    actions: (it) => editor(href(`/users/${it.pk}/edit`), it.username, '/core/users/'),
  });
  place.append(bar(maker('New user', href('/users/new'), '/core/users/'), mayAt('add', '/core/users/') && button('New service account', href('/users/new-service'))), h('section', {}, users));
}
