// A new invitation.

import { create } from './api.js';
import { form } from './form.js';
import { h } from './h.js';
import { show } from './invitations.js';
import { button } from './page.js';
import { go, href } from './router.js';

export const title = 'New invitation';

export async function render(place) {
  const made = await form({
    schema: 'InvitationRequest',
    fields: {
      name: { hint: 'Small letters, digits and dashes.' },
      flow: { hint: 'A flow for signing up that has an invitation stage.', reference: { path: '/flows/instances/', key: 'pk', by: 'flow_uuid', query: { designation: 'enrollment' }, label: (it) => it.name, hint: (it) => it.slug } },
      single_use: { label: 'Works once', hint: 'Whoever signs up with it first uses it up.', value: true },
      expires: { hint: 'A day from now where nothing is said.' },
      fixed_data: { hint: 'What the new user has whatever they type, such as {"email": "ann@example.org"}.' },
    },
    order: ['name', 'flow', 'single_use', 'expires', 'fixed_data'],
    cancel: button('Cancel', href('/invitations')),
    said: 'The invitation was created.',
    save: (body) => create('/stages/invitation/invitations/', body),
    async saved(invitation) {
      await show(invitation);
      await go('/invitations');
    },
  });
  place.append(h('section', {}, made));
}
