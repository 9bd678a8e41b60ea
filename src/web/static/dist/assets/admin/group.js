// One group: who is in it.

import { announce } from './announce.js';
import { get } from './api.js';
import { groupForm } from './group_form.js';
import { facts, h, tag, yes } from './h.js';
import { history } from './history.js';
import { list } from './list.js';
import { mayAt } from './may.js';
import { button, section, setTitle, tabs } from './page.js';
import { adder, adds, person, takes } from './people.js';
import { deletion } from './remove.js';
import { go, href } from './router.js';

export const title = 'Group';

export async function render(place, { pk, part = '' }) {
  const path = `/core/groups/${pk}/`;
  const group = await get(path);
  setTitle(group.name);
  place.append(tabs(`/groups/${pk}`, [['', 'Members'], mayAt('change', path) && ['edit', 'Edit'], ['history', 'History']]));
  if (part === 'history') {
    place.append(section('Who changed it', await history('group', pk)));
  } else if (part === 'edit') {
    const away = deletion({ path, name: group.name, to: () => go('/groups') });
    place.append(section('Group', await groupForm({ values: group, saved: () => go(`/groups/${pk}`), cancel: button('Cancel', href(`/groups/${pk}`)) }), away));
  } else {
    place.append(about(group), section('Members', members({ path, query: { groups_by_pk: pk, ordering: 'username' } })));
  }
}

function about(group) {
  const names = (objects, to) => (objects?.length ? objects.map((it, index) => [index ? ', ' : '', h('a', { href: href(`${to}/${it.pk}`) }, it.name)]) : 'none');
  return section('Facts', facts([
    ['Superusers', yes(group.is_superuser)],
    ['Within', names(group.parents_obj, '/groups')],
    ['Roles', names(group.roles_obj, '/roles')],
    group.inherited_roles_obj?.length ? ['Roles of groups above', names(group.inherited_roles_obj, '/roles')] : null,
    group.children_obj?.length ? ['Groups in it', names(group.children_obj, '/groups')] : null,
  ]));
}

const IN = { add: 'Put somebody in', button: 'Add', out: 'Take out', from: 'Take out', done: 'taken out', empty: 'There is nobody in it.' };

/** The users of a group or a role, who are put in and taken out below `path`; `said` is what that is called. */
export function members({ path, query, said = IN }) {
  const users = list({
    path: '/core/users/',
    query: { include_groups: 'false', include_roles: 'false', ...query },
    isLocal: true,
    caption: 'Members',
    empty: said.empty,
    columns: [
      { name: 'Username', sort: 'username', of: person },
      { name: 'Name', sort: 'name', of: (it) => it.name },
      { name: 'May log in', of: (it) => (it.is_active ? 'yes' : tag('no', 'bad')) },
    ],
    actions: (it) => h('button', { type: 'button', class: 'danger', 'aria-label': `${said.from} ${it.username}`, onclick: () => out(it) }, said.out),
  });
  const out = async (it) => {
    try {
      await takes(path)(it.pk);
      announce(`${it.username}: ${said.done}.`);
      await users.refresh();
    } catch (error) {
      announce(error.message, 'bad');
    }
  };
  return [adder({ label: said.add, button: said.button, add: adds(path), added: users.refresh }), users];
}
