// What whoever is logged in may do, so that nothing else is offered. The server decides all the same.

const held = new Set(JSON.parse(document.body.dataset.may ?? "null") ?? ["*"]);

/** Whether this is permitted, such as `authentik_flows.view_flow`, on any object at all. */
export const may = (permission) => held.has("*") || held.has(permission);

/** Whether any of the permissions that fit is there. */
export const mayAny = (pattern) => held.has("*") || [...held].some((it) => pattern.test(it));

/** What the objects at a path of the API are called in permissions. */
const NOUNS = {
  "/flows/instances/": "authentik_flows.flow",
  "/flows/bindings/": "authentik_flows.flowstagebinding",
  "/stages/all/": "authentik_flows.stage",
  "/stages/prompt/prompts/": "authentik_stages_prompt.prompt",
  "/stages/invitation/invitations/": "authentik_stages_invitation.invitation",
  "/policies/all/": "authentik_policies.policy",
  "/policies/bindings/": "authentik_policies.policybinding",
  "/managed/blueprints/": "authentik_blueprints.blueprintinstance",
  "/core/brands/": "authentik_brands.brand",
  "/core/users/": "authentik_core.user",
  "/core/groups/": "authentik_core.group",
  "/core/tokens/": "authentik_core.token",
  "/rbac/roles/": "authentik_rbac.role",
  "/events/events/": "authentik_events.event",
};

/** Whether objects at this path of the API may be seen, made, changed, taken away: `view`, `add`, `change`, `delete`. */
export function mayAt(verb, path) {
  const base = Object.keys(NOUNS).find((it) => path.startsWith(it));
  if (!base) return true;
  const [app, noun] = NOUNS[base].split(".");
  return may(`${app}.${verb}_${noun}`);
}

/** Whether an object of this model, such as `authentik_stages_email.emailstage`, may be changed. */
export function mayChange(model) {
  const [app, noun] = model.split(".");
  return may(`${app}.change_${noun}`);
}
