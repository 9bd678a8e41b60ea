// One role: what it permits, and who has it.

import { announce } from './announce.js';
import { call, create, get, list as load, update } from './api.js';
import { form } from './form.js';
import { members } from './group.js';
import { h } from './h.js';
import { list } from './list.js';
import { mayAt } from './may.js';
import { button, section, setTitle, tabs } from './page.js';
import { adder } from './people.js';
import { deletion } from './remove.js';
import { go, href } from './router.js';

export const title = 'Role';

export async function render(place, { pk, part = '' }) {
  const path = `/rbac/roles/${pk}/`;
  const role = await get(path);
  setTitle(role.name);
  place.append(tabs(`/roles/${pk}`, [['', 'Permissions'], ['people', 'Who has it'], mayAt('change', path) && ['edit', 'Edit']]));
  if (part === 'people') {
    const groups = list({
      path: '/core/groups/', query: { include_users: 'false' }, isLocal: true, caption: 'Groups', ordering: 'name', empty: 'There is no group.',
      columns: [
        { name: 'Group', sort: 'name', of: (it) => h('a', { href: href(`/groups/${it.pk}`) }, it.name) },
        { name: 'Has it', of: (it) => (it.roles.includes(pk) ? 'Yes' : 'No') },
      ],
      actions: (it) => give(it, groups),
    });
    place.append(section('Users', members({ path, query: { roles_by_pk: pk, ordering: 'username' }, said: HAVE })), section('Groups', groups));
  } else if (part === 'edit') {
    const away = deletion({ path, name: role.name, to: () => go('/roles') });
    const made = await form({ schema: 'RoleRequest', values: role, cancel: button('Cancel', href(`/roles/${pk}`)), save: (body) => update(path, body), saved: () => go(`/roles/${pk}`) });
    place.append(section('Role', made, away));
  } else {
    place.append(section('On everything of a kind', everywhere(pk)), section('On single objects', single(pk)));
  }

  function give(group, groups) {
    const has = group.roles.includes(pk);
    const press = async () => {
      try {
        await update(`/core/groups/${group.pk}/`, { roles: has ? group.roles.filter((it) => it !== pk) : [...group.roles, pk] });
        announce('Saved.');
        await groups.refresh();
      } catch (error) {
        announce(error.message, 'bad');
      }
    };
    return h('button', { type: 'button', class: has ? 'danger' : null, 'aria-label': `${has ? 'Take away from' : 'Give it to'} ${group.name}`, onclick: press }, has ? 'Take away' : 'Give');
  }
}

const HAVE = { add: 'Give it to somebody', button: 'Give', out: 'Take away', from: 'Take away from', done: 'taken away', empty: 'No user has it but by a group.' };

const code = (it) => `${it.app_label}.${it.codename}`;

/** The permissions that there are. */
const PERMISSIONS = {
  async search(text) {
    const found = await load('/rbac/permissions/', { search: text, page_size: 20 });
    const options = found.results.map((it) => ({ value: code(it), label: it.name, hint: code(it) }));
    return { options, more: found.pagination.count - found.results.length };
  },
  named: async (value) => ({ value, label: value }),
};

const assigned = (pk, verb) => `/rbac/permissions/assigned_by_roles/${pk}/${verb}/`;

function everywhere(pk) {
  const permissions = list({
    path: '/rbac/permissions/',
    query: { role: pk },
    isLocal: true,
    caption: 'Permissions',
    empty: 'It permits nothing.',
    columns: [
      { name: 'Permission', of: (it) => it.name },
      { name: 'Of', of: (it) => it.app_label_verbose },
      { name: 'Code', of: (it) => h('code', {}, code(it)) },
    ],
    actions: (it) => away(() => ({ permissions: [code(it)] }), pk, permissions, it.name),
  });
  return [adder({ label: 'Permit something', source: PERMISSIONS, button: 'Permit', add: (value) => create(assigned(pk, 'assign'), { permissions: [value] }), added: permissions.refresh }), permissions];
}

function single(pk) {
  const permissions = list({
    path: '/rbac/permissions/roles/',
    query: { uuid: pk },
    isLocal: true,
    caption: 'Permissions on single objects',
    empty: 'It permits nothing on single objects. Programs and blueprints can say so.',
    columns: [
      { name: 'Permission', of: (it) => it.name },
      { name: 'On', of: (it) => it.object_description ?? h('code', {}, it.object_pk) },
      { name: 'Code', of: (it) => h('code', {}, code(it)) },
    ],
    actions: (it) => away(() => ({ permissions: [code(it)], model: `${it.app_label}.${it.model}`, object_pk: it.object_pk }), pk, permissions, it.name),
  });
  return permissions;
}

function away(body, pk, permissions, name) {
  const press = async () => {
    try {
      await call('PATCH', assigned(pk, 'unassign'), { body: body() });
      announce('It is not permitted any more.');
      await permissions.refresh();
    } catch (error) {
      announce(error.message, 'bad');
    }
  };
  return h('button', { type: 'button', class: 'danger', 'aria-label': `Take away: ${name}`, onclick: press }, 'Take away');
}
