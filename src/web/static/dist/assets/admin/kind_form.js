// The form of a stage or a policy of any kind, and the choice of a kind.

import { create, get, update } from "./api.js";
import { form } from "./form.js";
import { h } from "./h.js";
import { mayChange } from "./may.js";
import { description } from "./schema.js";

/** What is better said here than in the description of the API. */
const SAID = {
  execution_logging: { hint: "Whether each evaluation is also written into the server’s log." },
  backends: {
    names: {
      "authentik.core.auth.InbuiltBackend": "The password of the account",
      "authentik.core.auth.TokenBackend": "App passwords",
      "authentik.sources.ldap.auth.LDAPBackend": "LDAP (not served here)",
      "authentik.sources.kerberos.auth.KerberosBackend": "Kerberos (not served here)",
    },
    value: ["authentik.core.auth.InbuiltBackend"],
  },
  user_fields: { value: ["username", "email"] },
  device_classes: {
    names: {
      static: "Recovery codes",
      totp: "Authenticator apps (TOTP)",
      webauthn: "Security keys and passkeys (WebAuthn)",
      duo: "Duo",
      sms: "Text messages",
      email: "Mail",
    },
  },
  expression: {
    kind: "code",
    hint: "The body of a Python function that returns whether the policy passes.",
  },
};

/** What comes first, in this order; of each kind those that it has. The rest follows. */
const ORDER = [
  "name",
  "expression",
  "user_fields",
  "password_stage",
  "captcha_stage",
  "webauthn_stage",
  "sources",
  "show_source_labels",
  "enrollment_flow",
  "recovery_flow",
  "passwordless_flow",
  "fields",
  "validation_policies",
  "backends",
  "mode",
  "target_static",
  "target_flow",
  "device_classes",
  "not_configured_action",
  "configuration_stages",
  "friendly_name",
  "configure_flow",
  "provider",
  "from_number",
  "account_sid",
  "auth_type",
  "auth",
  "auth_password",
  "mapping",
  "verify_only",
  "public_key",
  "private_key",
  "js_url",
  "api_url",
  "interactive",
  "template",
  "subject",
  "token_expiry",
  "activate_user_on_success",
  "use_global_settings",
  "from_address",
  "host",
  "port",
  "use_tls",
  "use_ssl",
  "username",
  "password",
  "timeout",
  "action",
  "app",
  "model",
  "client_ip",
  "query",
  "countries",
  "asns",
  "password_field",
];

/**
 * The form for an object of this kind; with `values` one that there is. `saved(object)` is called with
 * what the API answered.
 */
export async function kindForm({ kind, values, saved, submit, cancel, said }) {
  const whole = await description();
  const properties = Object.keys(whole.components.schemas[kind.schema].properties);
  const fields = { ...SAID };
  if (properties.includes("template")) fields.template = await templates();
  const made = await form({
    schema: kind.schema,
    values,
    fields,
    order: ORDER,
    submit: submit ?? (values ? "Save" : `Create ${kind.name}`),
    cancel,
    isShownOnly: Boolean(values) && !mayChange(values.meta_model_name),
    said: said !== undefined ? said : values ? "Saved." : `${kind.name} was created.`,
    save: (body) => (values ? update(`${kind.path}${values.pk}/`, body) : create(kind.path, body)),
    saved,
  });
  if (made.field("fields")?.pick) {
    const { newPrompt } = await import("./prompt_form.js");
    const { besides } = await import("./kind_new.js");
    besides(made, "fields", "New prompt", newPrompt);
  }
  return made;
}

/** The letters that there are. */
async function templates() {
  const found = await get("/stages/email/templates/").catch(() => []);
  if (found.length === 0) return {};
  const names = Object.fromEntries(found.map((it) => [it.name, it.description || it.name]));
  return { kind: "choice", options: found.map((it) => it.name), names };
}

/** Kinds to choose from; `to(kind)` is an address or a function that is called when one is chosen. */
export function kindCards(kinds, to) {
  return h(
    "ul",
    { class: "cards" },
    kinds.map((kind) => {
      const inside = [h("strong", {}, kind.name), h("span", { class: "quiet" }, kind.description)];
      const where = to(kind);
      return h(
        "li",
        {},
        typeof where === "string"
          ? h("a", { class: "card", href: where }, inside)
          : h("button", { type: "button", class: "card", onclick: where }, inside),
      );
    }),
  );
}
