// Erasing a person: what would go is shown, and their name has to be typed.

import { announce } from './announce.js';
import { create, get } from './api.js';
import { confirm, dialog } from './dialog.js';
import { facts, h, moment, words } from './h.js';

const REMOVED = [
  ['objects', 'Objects of theirs: account, devices, tokens, sessions, consents'],
  ['executions', 'Executions of theirs'],
  ['executions_of_nobody', 'Executions of nobody that name them'],
  ['events', 'Audit events'],
  ['mails', 'Mails that wait to be sent'],
  ['invitations', 'Invitations'],
  ['attempts', 'Counts of attempts'],
];

/** Asks whether a user is to be erased, and does so. Answers whether it did. */
export async function erase(user) {
  const path = `/gatelog/users/${user.pk}/erase/`;
  let preview;
  try {
    announce('Looking for them everywhere…');
    preview = await get(path);
  } catch (error) {
    announce(error.message, 'bad');
    return false;
  }
  const typed = h('input', { type: 'text', id: 'erase-name', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'erase-hint' });
  // What happened to other people goes only for whoever ticks this.
  const others = h('input', { type: 'checkbox', id: 'erase-others' });
  let certificate;
  const done = await confirm({
    title: `Erase ${user.username}?`,
    content: [
      h('p', {}, 'Their key is destroyed: nobody can read anything of theirs here any more. Copies that were made before, with their keys, still can be read. This cannot be undone.'),
      facts(REMOVED.map(([name, label]) => [label, preview.removed[name]])),
      preview.remains ? h('p', {}, `They stay named in ${preview.remains} other objects, which the certificate lists.`) : null,
      preview.others ? h('p', {}, others, ' ', h('label', { for: 'erase-others' }, `Also destroy ${preview.others} executions of other people in which they are named. Without it these stay, and the certificate lists them.`)) : null,
      h('label', { for: 'erase-name' }, 'Their user name'),
      typed,
      h('p', { id: 'erase-hint', class: 'hint' }, `Type ${user.username} to go on.`),
    ],
    action: 'Erase',
    danger: true,
    act: async () => {
      if (typed.value !== user.username) {
        typed.focus();
        throw new Error(`Type ${user.username} first.`);
      }
      certificate = await create(path, { username: typed.value, others: others.checked });
    },
  });
  if (!done) return false;
  announce(`${user.username} was erased.`);
  await shown(certificate);
  return true;
}

/** The certificate, to be kept: it is the last that is told of them. */
async function shown(certificate) {
  const text = JSON.stringify(certificate, null, 2);
  const file = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const name = `erasure-${certificate.pk}.json`;
  const whole = { true: 'yes', false: 'NO' }[certificate.chain.is_whole] ?? 'not checked';
  const open = dialog({
    title: 'Certificate of erasure',
    content: [
      facts([
        ['Number', certificate.pk],
        ['Finished', moment(certificate.finished)],
        ['Keys of executions destroyed', certificate.keys.count],
        ['The journal is whole', whole],
        ['Still named in', `${certificate.remains.length} objects`],
        ['Had left before', certificate.departed.length ? h('ul', {}, certificate.departed.map((it) => h('li', {}, `${words(it.what)}, up to record ${it.position}, ${it.is_sealed ? 'sealed' : 'in clear'}`))) : 'nothing'],
      ]),
      h('h3', {}, 'Gatelog cannot know'),
      h('ul', {}, certificate.unknown.map((it) => h('li', {}, it))),
      h('div', { class: 'buttons' }, h('a', { class: 'button primary', href: file, download: name }, 'Download the certificate')),
    ],
  });
  await open.closed;
  URL.revokeObjectURL(file);
}
