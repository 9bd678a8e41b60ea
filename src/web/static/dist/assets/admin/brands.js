// All brands.

import { h, tag } from './h.js';
import { list } from './list.js';
import { bar, editor, maker } from './page.js';
import { href } from './router.js';

export const title = 'Brands';

export function render(place) {
  const brands = list({
    path: '/core/brands/',
    caption: 'Brands',
    ordering: 'domain',
    columns: [
      { name: 'Domain', sort: 'domain', of: (it) => [h('a', { href: href(`/brands/${it.brand_uuid}`) }, it.domain), it.default ? [' ', tag('for all others')] : null] },
      { name: 'Title', sort: 'branding_title', of: (it) => it.branding_title },
    ],
    actions: (it) => editor(href(`/brands/${it.brand_uuid}`), it.domain, '/core/brands/'),
  });
  place.append(bar(maker('New brand', href('/brands/new'), '/core/brands/')), h('section', {}, h('p', { class: 'quiet' }, 'How the server looks under a domain, and which flows it uses there.'), brands));
}
