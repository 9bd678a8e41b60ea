// A new user.

import { h } from './h.js';
import { button } from './page.js';
import { go, href } from './router.js';
import { userForm } from './user_form.js';

export const title = 'New user';

export async function render(place) {
  const note = h('p', { class: 'quiet' }, 'They have no password yet: set one on their page, or hand over a recovery link there.');
  place.append(h('section', {}, note, await userForm({ saved: (user) => go(`/users/${user.pk}`), cancel: button('Cancel', href('/users')) })));
}
