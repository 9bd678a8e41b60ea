// What the form of a flow says of its fields.

export const DESIGNATIONS = {
  authentication: "Log in",
  authorization: "Authorize an application",
  invalidation: "Log out",
  enrollment: "Sign up",
  unenrollment: "Delete an account",
  recovery: "Get back into an account",
  stage_configuration: "Set something up",
};

export const REQUIREMENTS = {
  none: "Anybody",
  require_authenticated: "Only who is logged in",
  require_unauthenticated: "Only who is not logged in",
  require_superuser: "Only superusers",
  require_redirect: "Only who comes from another flow",
  require_outpost: "Only outposts",
  require_token: "Only who has a link that was made for it",
};

export const MODES = { any: "One of them has to pass", all: "All of them have to pass" };

export const FLOW_FIELDS = {
  name: { hint: "What operators call it." },
  slug: { hint: "The part of its address, /if/flow/<slug>/: letters, digits, - and _." },
  title: { hint: "The heading that visitors read." },
  designation: { label: "What it is for", names: DESIGNATIONS },
  authentication: {
    label: "Who may start it",
    names: REQUIREMENTS,
    value: "none",
    hint: "Policies may narrow this further.",
  },
  policy_engine_mode: { label: "How its policies count", names: MODES, value: "any" },
  denied_action: {
    label: "When it is denied",
    names: {
      message_continue: "Go on where the visitor came from; without that, a message",
      message: "Show a message",
      continue: "Go on where the visitor came from",
    },
    value: "message_continue",
  },
  layout: { hint: "Where the form stands on the page.", value: "stacked" },
  background: {
    hint: "The address of a picture; without one, the brand’s. Where the layout says “beside another page”, the address of that page. It has to allow that it is framed (its Content-Security-Policy or X-Frame-Options), or browsers show a broken page.",
  },
  compatibility_mode: {
    hint: "Pages that need no scripts, for old browsers and password managers.",
  },
};

export const FLOW_ORDER = [
  "name",
  "title",
  "slug",
  "designation",
  "authentication",
  "policy_engine_mode",
  "denied_action",
  "layout",
  "background",
  "compatibility_mode",
];
