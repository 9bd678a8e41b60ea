// A new token.

import { create } from './api.js';
import { form } from './form.js';
import { h } from './h.js';
import { button } from './page.js';
import { go, href, query } from './router.js';
import { INTENTS, showKey } from './tokens.js';

export const title = 'New token';

export async function render(place) {
  const { user } = query();
  const made = await form({
    schema: 'TokenRequest',
    fields: {
      identifier: { label: 'Name', hint: 'Small letters, digits and dashes.' },
      user: { hint: 'Whom it stands for; you, where nobody is chosen.', value: user ? Number(user) : undefined },
      intent: { label: 'What it is for', kind: 'choice', options: ['api', 'app_password'], names: INTENTS, value: 'api' },
      expiring: { label: 'It ends', value: true },
      expires: { hint: 'Only where it ends; a day from now where nothing is said.' },
      description: { hint: 'For whoever finds it later.' },
    },
    order: ['identifier', 'user', 'intent', 'description', 'expiring', 'expires'],
    cancel: button('Cancel', href('/tokens')),
    said: 'The token was created.',
    save: (body) => create('/core/tokens/', { ...body, expiring: body.expiring ?? false }),
    async saved(token) {
      await showKey(token.identifier);
      await go('/tokens');
    },
  });
  place.append(h('section', {}, made));
}
