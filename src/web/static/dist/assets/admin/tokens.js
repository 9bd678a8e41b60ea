// All tokens.

import { announce } from './announce.js';
import { get } from './api.js';
import { offer } from './copy.js';
import { h, moment, tag } from './h.js';
import { list } from './list.js';
import { may } from './may.js';
import { bar, maker } from './page.js';
import { person } from './people.js';
import { removal } from './remove.js';
import { href } from './router.js';

export const title = 'Tokens';

export const INTENTS = { api: 'Calls the API', app_password: 'Password for programs', recovery: 'Recovery', verification: 'Verification' };

export function render(place) {
  place.append(bar(maker('New token', href('/tokens/new'), '/core/tokens/')), h('section', {}, tokenList({
    filters: [{ name: 'user__username', label: 'User' }, { name: 'intent', label: 'What it is for', options: Object.entries(INTENTS) }],
  })));
}

/** Shows the key of a token; that it was looked at is in the events. */
export async function showKey(identifier) {
  try {
    const { key } = await get(`/core/tokens/${encodeURIComponent(identifier)}/view_key/`);
    await offer({ title: identifier, said: 'Whoever has this key may do what its user may. That you looked at it is noted.', label: 'Key', text: key });
  } catch (error) {
    announce(error.message, 'bad');
  }
}

/** A list of tokens. */
export function tokenList(more) {
  const tokens = list({
    path: '/core/tokens/',
    caption: 'Tokens',
    ordering: 'identifier',
    empty: 'There is no token.',
    columns: [
      { name: 'Name', sort: 'identifier', of: (it) => [h('code', {}, it.identifier), it.managed ? [' ', tag('managed')] : null] },
      { name: 'User', of: (it) => person(it.user_obj) },
      { name: 'What it is for', sort: 'intent', of: (it) => INTENTS[it.intent] ?? it.intent },
      { name: 'Ends', sort: 'expires', of: (it) => (it.expiring ? [moment(it.expires), new Date(it.expires) < new Date() ? [' ', tag('ended', 'bad')] : null] : 'never') },
      { name: 'Description', of: (it) => it.description },
    ],
    actions: (it) => [
      (may('authentik_core.view_token_key') || it.user_obj?.username === document.body.dataset.user) && h('button', { type: 'button', 'aria-label': `Show key of ${it.identifier}`, onclick: () => showKey(it.identifier) }, 'Show key'),
      removal({ path: `/core/tokens/${encodeURIComponent(it.identifier)}/`, name: it.identifier, warning: 'Whatever uses it is refused from then on.', done: () => tokens.refresh() }),
    ],
    ...more,
  });
  return tokens;
}
