// A new user for a program.

import { create } from './api.js';
import { offer } from './copy.js';
import { form } from './form.js';
import { h } from './h.js';
import { button } from './page.js';
import { go, href } from './router.js';

export const title = 'New service account';

export async function render(place) {
  const made = await form({
    operation: 'core_users_service_account_create',
    fields: {
      name: { hint: 'What the program is called.' },
      create_group: { label: 'Make a group of the same name' },
      expiring: { label: 'Its password ends', value: true },
      expires: { hint: 'A year from now where nothing is said.' },
    },
    order: ['name', 'create_group', 'expiring', 'expires'],
    cancel: button('Cancel', href('/users')),
    said: 'The service account was created.',
    save: (body) => create('/core/users/service_account/', { ...body, expiring: body.expiring ?? false }),
    async saved(result) {
      await offer({ title: result.username, said: 'This is its password for programs. You can see it again among its tokens.', label: 'App password', text: result.token });
      await go(`/users/${result.user_pk}`);
    },
  });
  place.append(h('section', {}, made));
}
