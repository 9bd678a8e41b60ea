// The form of a user.

import { create, update } from './api.js';
import { form } from './form.js';
import { TYPES } from './people.js';

/** A form for a user; with `values` one that there is. */
export function userForm({ values, saved, cancel }) {
  return form({
    schema: 'UserRequest',
    values,
    fields: {
      username: { hint: 'What they log in with.' },
      name: { hint: 'What they are called.' },
      email: { label: 'E-mail address' },
      is_active: { label: 'May log in', value: values ? undefined : true },
      type: { kind: 'choice', names: TYPES, value: values ? undefined : 'internal', hint: 'Service accounts stand for programs.' },
      path: { hint: 'A folder for your own order, such as users/students.' },
      groups: { hint: 'They get what the groups’ roles permit.' },
      attributes: { hint: 'What else is known of them; policies and prompts read it.' },
    },
    order: ['username', 'name', 'email', 'is_active', 'groups', 'roles', 'type', 'path', 'attributes'],
    cancel,
    said: values ? 'Saved.' : 'The user was created.',
    save: (body) => (values ? update(`/core/users/${values.pk}/`, body) : create('/core/users/', body)),
    saved,
  });
}
