// The form of a stage or a policy of any kind, and the choice of a kind.

import { create, get, update } from './api.js';
import { form } from './form.js';
import { h } from './h.js';
import { description } from './schema.js';

/** What is better said here than in the description of the API. */
const SAID = {
  execution_logging: { hint: 'Whether each evaluation is also written into the server’s log.' },
  expression: { kind: 'code', hint: 'The body of a Python function that returns whether the policy passes.' },
};

/**
 * The form for an object of this kind; with `values` one that there is. `saved(object)` is called with
 * what the API answered.
 */
export async function kindForm({ kind, values, saved, submit, cancel, said }) {
  const whole = await description();
  const properties = Object.keys(whole.components.schemas[kind.schema].properties);
  const fields = { ...SAID };
  if (properties.includes('template')) fields.template = await templates();
  return form({
    schema: kind.schema,
    values,
    fields,
    order: ['name', 'expression'],
    submit: submit ?? (values ? 'Save' : `Create ${kind.name}`),
    cancel,
    said: said ?? (values ? 'Saved.' : `${kind.name} was created.`),
    save: (body) => (values ? update(`${kind.path}${values.pk}/`, body) : create(kind.path, body)),
    saved,
  });
}

/** The letters that there are. */
async function templates() {
  const found = await get('/stages/email/templates/').catch(() => []);
  if (found.length === 0) return {};
  const names = Object.fromEntries(found.map((it) => [it.name, it.description || it.name]));
  return { kind: 'choice', options: found.map((it) => it.name), names };
}

/** Kinds to choose from; `to(kind)` is an address or a function that is called when one is chosen. */
export function kindCards(kinds, to) {
  return h('ul', { class: 'cards' }, kinds.map((kind) => {
    const inside = [h('strong', {}, kind.name), h('span', { class: 'quiet' }, kind.description)];
    const where = to(kind);
    return h('li', {}, typeof where === 'string' ? h('a', { class: 'card', href: where }, inside) : h('button', { type: 'button', class: 'card', onclick: where }, inside));
  }));
}
