// A new group.

import { h } from './h.js';
import { groupForm } from './group_form.js';
import { button } from './page.js';
import { go, href } from './router.js';

export const title = 'New group';

export async function render(place) {
  place.append(h('section', {}, await groupForm({ saved: (group) => go(`/groups/${group.pk}`), cancel: button('Cancel', href('/groups')) })));
}
