// All roles.

import { h } from './h.js';
import { list } from './list.js';
import { bar, maker } from './page.js';
import { href } from './router.js';

export const title = 'Roles';

export function render(place) {
  const roles = list({
    path: '/rbac/roles/',
    caption: 'Roles',
    ordering: 'name',
    columns: [{ name: 'Name', sort: 'name', of: (it) => h('a', { href: href(`/roles/${it.pk}`) }, it.name) }],
    actions: (it) => h('a', { class: 'button', href: href(`/roles/${it.pk}/people`), 'aria-label': `Who has it: ${it.name}` }, 'Who has it'),
  });
  place.append(bar(maker('New role', href('/roles/new'), '/rbac/roles/')), h('section', {}, h('p', { class: 'quiet' }, 'A role permits something to the users and groups that have it.'), roles));
}
