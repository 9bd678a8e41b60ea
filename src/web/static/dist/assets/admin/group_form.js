// The form of a group.

import { create, update } from './api.js';
import { form } from './form.js';

/** A form for a group; with `values` one that there is. Members are put in on its page. */
export function groupForm({ values, saved, cancel }) {
  return form({
    schema: 'GroupRequest',
    values,
    fields: {
      users: { hidden: true },
      is_superuser: { label: 'Its members may do everything' },
      parents: { label: 'Within', hint: 'Its members are in these as well.' },
      roles: { hint: 'What its members may do.' },
      attributes: { hint: 'What is known of all members.' },
    },
    order: ['name', 'parents', 'roles', 'is_superuser', 'attributes'],
    cancel,
    said: values ? 'Saved.' : 'The group was created.',
    save: (body) => (values ? update(`/core/groups/${values.pk}/`, body) : create('/core/groups/', body)),
    saved,
  });
}
