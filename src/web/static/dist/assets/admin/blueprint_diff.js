// What a blueprint would change, before it does.

import { create } from './api.js';
import { h, words } from './h.js';

const KINDS = { created: ['+', 'good'], updated: ['~', ''], deleted: ['−', 'bad'] };

/** Asks what applying `content` would change; answers with elements, and whether it can be applied. */
export async function preview(content, name) {
  const found = await create('/gatelog/blueprints/diff/', { content, name });
  if (found.problems.length > 0) {
    return { canApply: false, shown: h('div', { class: 'alert', role: 'alert' }, h('p', {}, 'It cannot be applied:'), h('ul', {}, found.problems.map((text) => h('li', {}, text)))) };
  }
  const notes = found.notes.length ? h('div', { class: 'notice' }, h('ul', {}, found.notes.map((text) => h('li', {}, text)))) : null;
  const count = (outcome) => found.changes.filter((it) => it.outcome === outcome).length;
  const summary = found.changes.length === 0
    ? h('p', {}, 'Everything is as the blueprint says already: nothing would change.')
    : h('p', {}, `${count('created')} created, ${count('updated')} updated, ${count('deleted')} deleted.`);
  return { canApply: true, count: found.changes.length, shown: h('div', {}, notes, summary, differences(found.changes)) };
}

/** What would be created, updated and deleted, as a list. */
export const differences = (changes) => h('ul', { class: 'diff' }, changes.map(change));

function change(it) {
  const [sign, kind] = KINDS[it.outcome] ?? ['?', ''];
  const head = [h('span', { class: `tag ${kind}` }, h('span', { 'aria-hidden': 'true' }, sign), ' ', words(it.outcome)), ' ', h('strong', {}, it.name), h('span', { class: 'quiet' }, ` ${it.model}`)];
  if (it.fields.length === 0) return h('li', {}, head);
  return h('li', {}, h('details', { open: it.outcome === 'updated' }, h('summary', {}, head), h('ul', { class: 'changes' }, it.fields.map((field) => fieldChange(field, it.outcome)))));
}

function fieldChange({ field, from, to, secret }, outcome) {
  if (secret) return h('li', {}, h('strong', {}, field), ': another secret');
  const value = (it) => (it === null || it === '' ? h('em', {}, 'nothing') : h('code', {}, typeof it === 'string' ? it : JSON.stringify(it)));
  if (outcome === 'created') return h('li', {}, h('strong', {}, field), ': ', value(to));
  return h('li', {}, h('strong', {}, field), ': ', h('del', {}, value(from)), ' → ', h('ins', {}, value(to)));
}
