// One user and what is theirs.

import { announce } from './announce.js';
import { all, create, get, remove as removeAt } from './api.js';
import { offer } from './copy.js';
import { confirm, dialog } from './dialog.js';
import { erase } from './erase.js';
import { eventColumns } from './events.js';
import { executionList } from './executions.js';
import { form } from './form.js';
import { facts, h, moment, tag, yes } from './h.js';
import { history } from './history.js';
import { list, table } from './list.js';
import { may, mayAt } from './may.js';
import { action, bar, button, live, section, setTitle, tabs } from './page.js';
import { TYPES } from './people.js';
import { deletion } from './remove.js';
import { again, go, href } from './router.js';
import { tokenList } from './tokens.js';
import { userForm } from './user_form.js';

export const title = 'User';

const PARTS = [['', 'Overview'], ['edit', 'Edit'], ['devices', 'Authenticators'], ['sessions', 'Sessions'], ['tokens', 'Tokens'], ['executions', 'Executions'], ['events', 'Events'], ['history', 'History']];

export async function render(place, { pk, part = '', signal }) {
  const user = await get(`/core/users/${pk}/`);
  setTitle(user.username);
  place.append(tabs(`/users/${pk}`, PARTS.filter(([name]) => OFFERED[name]?.() ?? true)));
  place.append(...[await SHOWN[part]?.(user, signal) ?? h('p', {}, 'There is no such part.')].flat());
}

/** Whether a part is offered, by what whoever is logged in may do; the rest always is. */
const OFFERED = {
  edit: () => mayAt('change', '/core/users/'),
  sessions: () => may('authentik_core.view_authenticatedsession'),
  tokens: () => mayAt('view', '/core/tokens/'),
  executions: () => may('authentik_flows.inspect_flow'),
  events: () => mayAt('view', '/events/events/'),
};

const SHOWN = {
  '': overview,
  edit: async (user) => h('section', {}, await userForm({ values: user, saved: () => go(`/users/${user.pk}`), cancel: button('Cancel', href(`/users/${user.pk}`)) })),
  devices,
  sessions: (user) => section('Where they are logged in', sessions(user)),
  tokens: (user) => section('Tokens', tokenList({ isLocal: true, query: { user__username: user.username } }), mayAt('add', '/core/tokens/') && button('New token', href('/tokens/new', { user: user.pk }))),
  executions: (user, signal) => section('What they went through', executionList({ isLocal: true, fixed: { user: user.uuid }, signal })),
  events: (user) => section('What they did', list({ path: '/events/events/', query: { username: user.username }, isLocal: true, caption: 'Events', search: true, columns: eventColumns(), empty: 'Nothing is told of them.' })),
  history: async (user) => section('Who changed it', await history('user', user.uuid)),
};

function overview(user) {
  const path = `/core/users/${user.pk}/`;
  const names = (objects, to, empty) => (objects?.length ? objects.map((it, index) => [index ? ', ' : '', h('a', { href: href(`${to}/${it.pk}`) }, it.name)]) : empty);
  const known = facts([
    ['Name', user.name || '—'],
    ['E-mail address', user.email || '—'],
    ['May log in', user.is_active ? tag('yes', 'good') : tag('no', 'bad')],
    ['Superuser', yes(user.is_superuser)],
    ['Type', TYPES[user.type] ?? user.type],
    ['Groups', names(user.groups_obj, '/groups', 'none')],
    ['Roles', names(user.roles_obj, '/roles', 'none')],
    ['Since', moment(user.date_joined)],
    ['Last login', user.last_login ? moment(user.last_login) : 'never'],
    ['Password of', moment(user.password_change_date)],
    ['Path', h('code', {}, user.path)],
    ['Number', user.pk],
  ]);
  const attributes = Object.keys(user.attributes ?? {}).length ? section('Attributes', h('pre', { tabindex: '0' }, JSON.stringify(user.attributes, null, 2))) : null;
  const mayReset = may('authentik_core.reset_user_password');
  const actions = bar(
    mayReset && action('Set password', () => setPassword(user, path)),
    mayReset && action('Recovery link', () => recoveryLink(user, path)),
    mayReset && user.email ? action('Mail a recovery link', () => recoveryMail(user, path)) : null,
    deletion({ path, name: user.username, to: () => go('/users') }),
    may('authentik_core.delete_user') && action('Erase', async () => (await erase(user)) && go('/users'), 'danger'),
  );
  return [actions, section('Facts', known), attributes].filter(Boolean);
}

async function setPassword(user, path) {
  const made = await form({
    operation: 'core_users_set_password_create',
    fields: { password: { kind: 'secret', label: 'New password', hint: 'Their sessions end; what they know has to be told to them another way.', required: true } },
    // So that a password manager knows whose it is.
    more: h('input', { type: 'text', name: 'username', autocomplete: 'username', value: user.username, readonly: true, hidden: true }),
    submit: 'Set password',
    said: 'The password was set.',
    save: (body) => create(`${path}set_password/`, body),
    saved: () => shown.close(),
  });
  const shown = dialog({ title: `A password for ${user.username}`, content: made, mayClose: made.mayClose });
  made.field('password').focus();
  await shown.closed;
}

async function recoveryLink(user, path) {
  try {
    const { link } = await create(`${path}recovery/`, {});
    await offer({ title: `A way back for ${user.username}`, said: 'Whoever opens this link gets into the account, once. Hand it over in person or by telephone. A link that was made before works no more.', label: 'Link', text: link });
  } catch (error) {
    const none = error.message === 'No recovery flow set.' ? ' Name one in the brand of this address, or enable the ready-made one on the page of all flows.' : '';
    announce(error.message + none, 'bad');
  }
}

async function recoveryMail(user, path) {
  const made = await form({
    operation: 'core_users_recovery_email_create',
    fields: {
      email_stage: { kind: 'reference', reference: { path: '/stages/email/', key: 'pk', label: (it) => it.name }, hint: 'How the mail looks, and over which server it goes.', required: true },
      token_duration: { hint: 'How long the link is good, such as hours=1. What the stage says where this is empty.' },
    },
    order: ['email_stage', 'token_duration'],
    submit: `Send to ${user.email}`,
    said: 'The mail is on its way.',
    save: (body) => create(`${path}recovery_email/`, body),
    saved: () => shown.close(),
  });
  const shown = dialog({ title: `Mail a recovery link to ${user.username}`, content: made, mayClose: made.mayClose });
  await shown.closed;
}

/** The path of a device's own, by its model. */
const CLASSES = {
  'authentik_stages_authenticator_duo.duodevice': 'duo',
  'authentik_stages_authenticator_email.emaildevice': 'email',
  'authentik_stages_authenticator_sms.smsdevice': 'sms',
  'authentik_stages_authenticator_static.staticdevice': 'static',
  'authentik_stages_authenticator_totp.totpdevice': 'totp',
  'authentik_stages_authenticator_webauthn.webauthndevice': 'webauthn',
};

async function devices(user) {
  const shown = await live(async (element) => {
    const found = await get('/authenticators/admin/all/', { user: user.pk });
    if (found.length === 0) return h('p', { class: 'empty' }, 'They have no authenticator.');
    const away = async (it) => {
      const content = h('p', {}, `${user.username} cannot use it any more, also in a login that is half-way through.`);
      const act = () => removeAt(`/authenticators/admin/${CLASSES[it.meta_model_name.toLowerCase()]}/${it.pk}/`);
      if (await confirm({ title: `Remove ${it.name}?`, content, action: 'Remove', danger: true, act })) {
        announce(`${it.name} was removed.`);
        await element.refresh();
      }
    };
    return table({
      caption: 'Authenticators',
      rows: found,
      columns: [
        { name: 'Name', of: (it) => it.name },
        { name: 'Kind', of: (it) => [it.verbose_name, it.confirmed ? null : [' ', tag('not finished')]] },
        { name: 'Detail', of: (it) => it.extra_description },
        { name: 'Set up', of: (it) => moment(it.created) },
        { name: 'Last used', of: (it) => (it.last_used ? moment(it.last_used) : 'never') },
      ],
      actions: (it) => h('button', { type: 'button', class: 'danger', 'aria-label': `Remove ${it.name}`, onclick: () => away(it) }, 'Remove'),
    });
  });
  return section('Authenticators', shown);
}

function sessions(user) {
  const path = '/core/authenticated_sessions/';
  const shown = list({
    path,
    query: { user__username: user.username },
    isLocal: true,
    search: false,
    caption: 'Sessions',
    ordering: '-last_used',
    empty: 'They are logged in nowhere.',
    columns: [
      { name: 'From', of: (it) => [it.last_ip, it.geo_ip?.city ? ` (${it.geo_ip.city})` : null, it.current ? [' ', tag('this one', 'good')] : null] },
      { name: 'Browser', of: (it) => browser(it) },
      { name: 'Last used', sort: 'last_used', of: (it) => moment(it.last_used) },
      { name: 'Ends', of: (it) => moment(it.expires) },
    ],
    actions: (it) => h('button', { type: 'button', class: 'danger', onclick: () => end(it) }, 'End'),
  });
  async function end(it) {
    const content = it.current ? 'This is your own session: you are logged out at once.' : `${user.username} is logged out there.`;
    if (await confirm({ title: 'End this session?', content, action: 'End it', danger: true, act: () => removeAt(`${path}${it.uuid}/`) })) {
      if (it.current) await again();
      else await shown.refresh();
    }
  }
  async function endAll() {
    const act = async () => {
      const found = await all(path, { user__username: user.username });
      // One's own comes last: without it nothing more can be ended.
      found.sort((one, other) => one.current - other.current);
      for (const it of found) {
        await removeAt(`${path}${it.uuid}/`).catch((error) => {
          // It ended by itself meanwhile.
          if (error.status !== 404) throw error;
        });
        endsOwn ||= it.current;
      }
    };
    let endsOwn = false;
    const content = `${user.username} is logged out everywhere${user.username === document.body.dataset.user ? ', also here' : ''}.`;
    if (!(await confirm({ title: 'End all sessions?', content, action: 'End all', danger: true, act }))) return;
    if (endsOwn) await again();
    else await shown.refresh();
  }
  return [bar(action('End all', endAll, 'danger')), shown];
}

function browser(session) {
  const { user_agent: agent, os } = session.user_agent ?? {};
  const known = [agent?.family, os?.family].filter((it) => it && it !== 'Other');
  return known.length ? known.join(' on ') : session.last_user_agent || '—';
}
