// All invitations.

import { announce } from './announce.js';
import { create } from './api.js';
import { absolute, offer } from './copy.js';
import { dialog } from './dialog.js';
import { form } from './form.js';
import { h, moment, tag } from './h.js';
import { list } from './list.js';
import { bar, maker } from './page.js';
import { person } from './people.js';
import { ready } from './ready.js';
import { removal } from './remove.js';
import { href } from './router.js';

export const title = 'Invitations';

const PATH = '/stages/invitation/invitations/';

/** The link that is handed over; an invitation without a flow fits any. */
function invitationLink(it) {
  const slug = it.flow_obj?.slug;
  return slug ? absolute(`/if/flow/${slug}/?itoken=${it.pk}`) : null;
}

export async function render(place) {
  const invitations = list({
    path: PATH,
    caption: 'Invitations',
    ordering: '-expires',
    filters: [{ name: 'created_by__username', label: 'Made by' }, { name: 'flow__slug', label: 'Flow (slug)' }],
    empty: 'There is no invitation. Whoever has one signs up by a flow with an invitation stage, such as the ready-made one below (or “gatelog blueprint enable invitation”).',
    columns: [
      { name: 'Name', sort: 'name', of: (it) => [it.name, it.single_use ? [' ', tag('works once')] : null] },
      { name: 'Flow', of: (it) => (it.flow_obj ? h('a', { href: href(`/flows/${it.flow_obj.slug}`) }, it.flow_obj.name) : 'any') },
      { name: 'Ends', sort: 'expires', of: (it) => (it.expires ? moment(it.expires) : 'never') },
      { name: 'Made by', of: (it) => (it.created_by ? person(it.created_by) : '—') },
    ],
    actions: (it) => [
      h('button', { type: 'button', 'aria-label': `Link of ${it.name}`, onclick: () => show(it) }, 'Link'),
      it.flow_obj ? h('button', { type: 'button', 'aria-label': `Mail ${it.name}`, onclick: () => send(it) }, 'Mail') : null,
      removal({ path: `${PATH}${it.pk}/`, name: it.name, warning: 'Its link works no more.', done: () => invitations.refresh() }),
    ].filter(Boolean),
  });
  place.append(bar(maker('New invitation', href('/invitations/new'), PATH)), h('section', {}, invitations));
  const made = await ready({ only: ['invitation'], heading: 'A flow for the invited' });
  if (made) place.append(made);
}

/** Shows the link of an invitation. */
export async function show(it) {
  const link = invitationLink(it);
  if (link) await offer({ title: it.name, said: it.single_use ? 'Whoever has this link may sign up with it, once.' : 'Whoever has this link may sign up with it.', label: 'Link', text: link });
  else await offer({ title: it.name, said: 'It names no flow. Put this behind the address of one that has an invitation stage.', label: 'Parameter', text: `?itoken=${it.pk}` });
}

async function send(it) {
  const made = await form({
    operation: 'stages_invitation_invitations_send_email_create',
    fields: {
      email_addresses: { label: 'To', required: true },
      cc_addresses: { label: 'Copies to' },
      bcc_addresses: { label: 'Blind copies to' },
      template: { hint: 'The letter.' },
    },
    order: ['email_addresses', 'cc_addresses', 'bcc_addresses', 'template'],
    submit: 'Send',
    said: null,
    save: (body) => create(`${PATH}${it.pk}/send_email/`, body),
    saved() {
      announce('The mails are on their way.');
      shown.close();
    },
  });
  const shown = dialog({ title: `Mail “${it.name}”`, content: made, mayClose: made.mayClose });
  await shown.closed;
}
