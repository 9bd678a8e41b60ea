// How people are shown and put into something.

import { announce } from './announce.js';
import { create } from './api.js';
import { h, id } from './h.js';
import { pick } from './pick.js';
import { REFERENCES, objects } from './references.js';
import { href } from './router.js';

export const TYPES = { internal: 'Internal', external: 'External', service_account: 'Service account', internal_service_account: 'Internal service account' };

/** A user with the way to their page. */
export const person = (user) => h('a', { class: 'whole', href: href(`/users/${user.pk}`) }, user.username);

/** A field that adds something to a list: `add(value)` sends it, `added()` is called after that. */
export function adder({ label, reference = REFERENCES.user, source = objects(reference), button = 'Add', add, added }) {
  const own = id('add');
  const chosen = pick({ source, value: null, inputId: own });
  const press = async () => {
    const value = chosen.read();
    if (value === null) {
      chosen.input.focus();
      return;
    }
    try {
      await add(value);
      announce('Added.');
      await added();
    } catch (error) {
      announce(error.message, 'bad');
    }
  };
  return h('div', { class: 'field adder' }, h('label', { for: own }, label), h('div', { class: 'copy' }, chosen.element, h('button', { type: 'button', onclick: press }, button)));
}

/** Users in something, with `path` below which they are added and taken out. */
export const adds = (path) => (pk) => create(`${path}add_user/`, { pk });
export const takes = (path) => (pk) => create(`${path}remove_user/`, { pk });
