// Texts to be taken elsewhere: links and keys.

import { announce } from './announce.js';
import { dialog } from './dialog.js';
import { h, id } from './h.js';

/** A text in a field of its own, with a button that copies it. */
function copyable(label, text) {
  const own = id('copy');
  const input = h('input', { id: own, type: 'text', readonly: true, value: text, onfocus: () => input.select() });
  const press = async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce('Copied.');
    } catch {
      // Without TLS browsers do not let pages copy.
      input.select();
      announce('Press Ctrl+C to copy it.');
    }
  };
  return h('div', { class: 'field' }, h('label', { for: own }, label), h('div', { class: 'copy' }, input, h('button', { type: 'button', onclick: press }, 'Copy')));
}

/** Shows a text in a dialog, so that it can be copied. Resolves when that is closed. */
export const offer = ({ title, said, label, text }) => dialog({ title, content: [said ? h('p', {}, said) : null, copyable(label, text)] }).closed;

/** A link of this server. */
export const absolute = (path) => new URL(path, location.origin).href;
