// One brand, or a new one.

import { create, get, update } from './api.js';
import { form } from './form.js';
import { h } from './h.js';
import { history } from './history.js';
import { mayAt } from './may.js';
import { button, section, setTitle, tabs } from './page.js';
import { deletion } from './remove.js';
import { go, href } from './router.js';

export const title = ({ pk }) => (pk === 'new' ? 'New brand' : 'Brand');

const flow = (text) => ({ label: text });

const FIELDS = {
  domain: { hint: 'The name in the address, such as id.example.org; also for the names below it.' },
  default: { label: 'For all other domains' },
  branding_title: { label: 'Title' },
  branding_logo: { label: 'Logo', hint: 'An address or a path.' },
  branding_favicon: { label: 'Icon', hint: 'An address or a path.' },
  branding_default_flow_background: { label: 'Background of flows', hint: 'An address or a path.' },
  branding_custom_css: { label: 'Custom CSS', kind: 'code' },
  flow_authentication: flow('Flow to log in'),
  flow_invalidation: flow('Flow to log out'),
  flow_recovery: flow('Flow to get back in'),
  flow_unenrollment: flow('Flow to delete oneself'),
  flow_user_settings: flow('Flow for settings'),
  flow_device_code: flow('Flow for device codes'),
  default_application: { hidden: true },
  web_certificate: { hidden: true },
  client_certificates: { hidden: true },
};

const ORDER = ['domain', 'default', 'branding_title', 'branding_logo', 'branding_favicon', 'branding_default_flow_background', 'branding_custom_css', 'flow_authentication', 'flow_invalidation', 'flow_recovery', 'flow_unenrollment', 'flow_user_settings', 'flow_device_code', 'attributes'];

export async function render(place, { pk, part }) {
  const set = { schema: 'BrandRequest', fields: FIELDS, order: ORDER, cancel: button('Cancel', href('/brands')), saved: () => go('/brands') };
  if (pk === 'new') {
    place.append(h('section', {}, await form({ ...set, said: 'The brand was created.', save: (body) => create('/core/brands/', body) })));
    return;
  }
  const path = `/core/brands/${pk}/`;
  const brand = await get(path);
  setTitle(brand.domain);
  place.append(tabs(`/brands/${pk}`, [['', 'Edit'], ['history', 'History']]));
  if (part === 'history') {
    place.append(section('Who changed it', await history('brand', pk)));
    return;
  }
  const away = deletion({ path, name: brand.domain, to: () => go('/brands') });
  place.append(section('Brand', await form({ ...set, values: brand, isShownOnly: !mayAt('change', path), save: (body) => update(path, body) }), away));
}
