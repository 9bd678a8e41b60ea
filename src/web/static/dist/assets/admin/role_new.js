// A new role.

import { create } from './api.js';
import { form } from './form.js';
import { h } from './h.js';
import { button } from './page.js';
import { go, href } from './router.js';

export const title = 'New role';

export async function render(place) {
  const made = await form({
    schema: 'RoleRequest',
    fields: { name: { hint: 'What whoever has it may do is chosen after that.' } },
    said: 'The role was created.',
    cancel: button('Cancel', href('/roles')),
    save: (body) => create('/rbac/roles/', body),
    saved: (role) => go(`/roles/${role.pk}`),
  });
  place.append(h('section', {}, made));
}
