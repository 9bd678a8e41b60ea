// Where the objects are that a property of this name refers to, and how one of them is called.

import { get, list } from "./api.js";

const flow = (designation) => ({
  path: "/flows/instances/",
  key: "pk",
  by: "flow_uuid",
  query: { designation },
  label: (it) => it.name,
  hint: (it) => it.slug,
});
const stage = (path, hint) => ({
  path,
  key: "pk",
  label: (it) => it.name,
  hint: hint ?? ((it) => it.verbose_name),
});
const policy = {
  path: "/policies/all/",
  key: "pk",
  label: (it) => it.name,
  hint: (it) => it.verbose_name,
};
const group = {
  path: "/core/groups/",
  key: "pk",
  label: (it) => it.name,
  query: { include_users: "false" },
};
const role = { path: "/rbac/roles/", key: "pk", label: (it) => it.name };
const user = {
  path: "/core/users/",
  key: "pk",
  label: (it) => it.username,
  hint: (it) => it.name,
  query: { include_groups: "false", include_roles: "false" },
};
const key = {
  path: "/stages/authenticator/webauthn_device_types/",
  key: "aaguid",
  label: (it) => it.description,
  hint: (it) => it.aaguid,
};

/**
 * By the name of a property. A page may give others to `form` (`fields: { owner: { reference: … } }`):
 * `path` of the list, `key` by which an object is referred to, `label` and `hint` of one, `query` for
 * the list.
 */
export const REFERENCES = {
  flow: flow(),
  configure_flow: flow("stage_configuration"),
  target_flow: flow(),
  enrollment_flow: flow("enrollment"),
  recovery_flow: flow("recovery"),
  passwordless_flow: flow("authentication"),
  flow_authentication: flow("authentication"),
  flow_invalidation: flow("invalidation"),
  flow_recovery: flow("recovery"),
  flow_unenrollment: flow("unenrollment"),
  flow_user_settings: flow("stage_configuration"),
  flow_device_code: flow("stage_configuration"),
  stage: stage("/stages/all/"),
  configuration_stages: stage("/stages/all/"),
  captcha_stage: stage("/stages/captcha/"),
  password_stage: stage("/stages/password/"),
  webauthn_stage: stage("/stages/authenticator/validate/"),
  email_stage: stage("/stages/email/"),
  fields: stage("/stages/prompt/prompts/", (it) => it.field_key),
  validation_policies: policy,
  policy,
  group,
  groups: group,
  parents: group,
  create_users_group: group,
  role,
  roles: role,
  user,
  users: user,
  sources: { path: "/sources/all/", key: "pk", label: (it) => it.name, hint: (it) => it.slug },
  mapping: { path: "/propertymappings/notification/", key: "pk", label: (it) => it.name },
  webauthn_allowed_device_types: key,
  device_type_restrictions: key,
};

/** What a `pick` asks for the objects of a reference. */
export function objects(reference) {
  const shown = (it) => ({
    value: it[reference.key],
    label: reference.label(it),
    hint: reference.hint?.(it),
  });
  return {
    async search(text) {
      const found = await list(reference.path, { ...reference.query, search: text, page_size: 20 });
      return {
        options: found.results.map(shown),
        more: found.pagination.count - found.results.length,
      };
    },
    async named(value) {
      if (reference.by) {
        const found = await list(reference.path, { [reference.by]: value });
        return found.results[0] && shown(found.results[0]);
      }
      return shown(await get(`${reference.path}${encodeURIComponent(value)}/`));
    },
  };
}

/** What a `pick` asks for the words of an enumeration. */
export function wordsOf(options, label) {
  const shown = (value) => ({ value, label: label(value) });
  return {
    async search(text) {
      const wanted = text.toLowerCase();
      const found = options.map(shown).filter((it) => it.label.toLowerCase().includes(wanted));
      return { options: found.slice(0, 50), more: Math.max(0, found.length - 50) };
    },
    named: async (value) => shown(value),
  };
}
